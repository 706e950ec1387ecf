// What a builder does with a webhook: add it, publish, send a real request, use what came, see what was refused.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { codeField, launch, node, openPage, saved, Server } from "./harness.mjs";

let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([new Server().start(), launch()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const send = (path, body, headers = {}) => fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });

describe("webhooks", () => {
  it("can be tried before they are published, and their data used", async () => {
    const { page, context, wrongs } = await openPage(browser, server);
    try {
      const { id } = await server.create({ name: "Orders", steps: [{ id: "greet", step_type: "log", config: { message: "hello" } }], output: "{{ steps.greet.output }}" });
      await page.goto(`${server.url}/workflows/${id}`);
      await page.locator(".react-flow__pane").click({ position: { x: 300, y: 40 } });
      await page.keyboard.press("n");
      await page.getByRole("combobox").fill("webhook");
      await page.getByRole("option", { name: "Webhook" }).click();
      await page.getByText("Draft only: publish it").waitFor();
      await codeField(page, "Only if").first().click();
      await page.keyboard.insertText("{{ input.body.paid }}");
      await codeField(page, "What tells deliveries apart").first().click();
      await page.keyboard.insertText("{{ input.body.order }}");
      await page.getByLabel("Addresses that may call").fill("127.0.0.1, 192.0.2.0/24");
      await page.getByLabel("Addresses that may call").blur();
      await page.getByLabel("With the bytes of the body").check();
      await saved(page);
      await page.getByRole("button", { name: "Listen for a request" }).click();
      const test = await page.getByText("/hooks-test/").textContent();
      assert.deepEqual([(await send(test.slice(server.url.length), { paid: true, order: 7 })).status, (await send(test.slice(server.url.length), { paid: false })).status], [200, 200]);
      await page.getByText("ignored", { exact: true }).waitFor();
      await page.getByText("captured", { exact: true }).click();
      await page.getByText('"order": 7').waitFor();
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/hook-test.png` });
      await page.getByRole("button", { name: "Use its data" }).first().click();
      await codeField(page, "What tells deliveries apart").first().click();
      await page.locator('[data-label^="What tells deliveries apart"]').locator("..").getByText("7", { exact: true }).waitFor();
      await node(page, "greet").click();
      await codeField(page, "Message").first().click();
      await page.keyboard.press("Control+a");
      await page.keyboard.press("Delete");
      await page.keyboard.insertText("order {{ input.body.order }}");
      await page.getByText("order 7").first().waitFor();
      const { triggers } = await server.api("GET", `/api/workflows/${id}/`);
      assert.deepEqual(triggers[0].trigger_config, { path: "orders", only_if: "{{ input.body.paid }}", dedupe: "{{ input.body.order }}", allow_addresses: ["127.0.0.1", "192.0.2.0/24"], raw: true });
      assert.equal((await server.api("GET", `/api/executions/?workflow=${id}`)).count, 0, "nothing was started");
      assert.deepEqual(wrongs, []);
    } catch (error) {
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/hook-test-failed.png` });
      throw error;
    } finally {
      await context.close();
    }
  });

  it("listens once published, shows what came, and gives its data to expressions", async () => {
    const { page, context, wrongs } = await openPage(browser, server);
    try {
      const { id } = await server.create({ name: "Sign up!", steps: [{ id: "greet", step_type: "log", config: { message: "hello" } }], output: "{{ steps.greet.output }}" });
      await page.goto(`${server.url}/workflows/${id}`);
      await page.getByRole("button", { name: "Add a webhook" }).click();
      await page.getByText("Draft only: publish it").waitFor();
      assert.equal(await page.getByLabel("Path").inputValue(), "sign-up");
      await page.getByLabel("Path").fill("users/:id");
      await page.getByLabel("Answer").selectOption("result");
      await saved(page);
      assert.equal((await send("/hooks/users/7", {})).status, 404);
      await page.getByRole("button", { name: "Publish", exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Publish", exact: true }).click();
      await node(page, "webhook").click();
      await page.getByText("Listens, as version 1 has it.").waitFor();
      await page.getByText(`${server.url}/hooks/users/:id`).waitFor();
      await page.getByText("Waiting for a request.").waitFor();

      const answer = await send("/hooks/users/7", { name: "Ada" });
      assert.deepEqual([answer.status, await answer.json()], [200, "hello"]);
      await page.getByText("triggered").click();
      await page.getByText('"name": "Ada"').waitFor();
      await page.getByRole("button", { name: "Use its data" }).click();

      await node(page, "greet").click();
      await codeField(page, "Message").first().click();
      await page.keyboard.press("Control+a");
      await page.keyboard.press("Delete");
      await page.keyboard.insertText("hello {{ input.body.name }}");
      await page.getByText("hello Ada").first().waitFor();
      await saved(page);
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/hook-step.png` });

      await node(page, "webhook").click();
      await page.getByLabel("Who may send").selectOption("github");
      await page.getByLabel("Name of the secret").fill("not_there");
      await page.getByLabel("Name of the secret").blur();
      await page.getByText("FLOWPILOT_SECRET_NOT_THERE").waitFor();
      await saved(page);
      await page.getByRole("button", { name: "Publish", exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Publish", exact: true }).click();
      await page.getByText("The server was started without its secret").waitFor();
      assert.equal((await send("/hooks/users/8", {})).status, 503);
      await page.getByText("webhook.secret_missing").waitFor();
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/hook-panel.png` });
      const { triggers } = await server.api("GET", `/api/workflows/${id}/`);
      assert.deepEqual(triggers, [{ id: "webhook", trigger_type: "webhook", trigger_config: { path: "users/:id", respond: "result", signature: "github", secret: "NOT_THERE" } }]);
      assert.deepEqual(wrongs, []);
    } catch (error) {
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/hook-failed.png` });
      throw error;
    } finally {
      await context.close();
    }
  });
});

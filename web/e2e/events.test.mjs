// What a builder does with events and sources: subscribe, see what came and why, use its data, try a URL before it is published.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";

import { launch, openPage, saved, Server } from "./harness.mjs";

let server;
let browser;
let source;
before(async () => {
  source = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ tickets: [{ id: 7, title: "Printer" }] }));
  });
  await new Promise((done) => source.listen(0, "127.0.0.1", done));
  [server, browser] = await Promise.all([new Server().start(), launch()]);
});
after(async () => {
  source?.close();
  await browser?.close();
  await server?.stop();
});

const shot = (page, name) => (process.env.FLOWPILOT_SHOTS ? page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/${name}.png` }) : undefined);

describe("events", () => {
  it("start what subscribes, and say what became of them", async () => {
    const { page, context, wrongs } = await openPage(browser, server);
    try {
      const { id } = await server.create({ name: "Paid orders", steps: [{ id: "thank", step_type: "set", config: { values: { order: "{{ input.data.order }}" } } }] });
      await page.goto(`${server.url}/workflows/${id}`);
      await page.getByRole("button", { name: "Add an event" }).click();
      await page.getByLabel("Name of the event").fill("order.paid");
      await page.getByText("Draft only: publish it, and it starts by itself.").waitFor();
      await page.getByText("None of this name yet.").waitFor();
      await saved(page);
      await server.api("POST", `/api/workflows/${id}/publish/`, {});
      await page.getByText("Starts with each, as version 1 has it.").waitFor();
      await server.api("POST", "/api/events/", { name: "order.paid", key: "4711", data: { order: 4711 } });
      await page.getByText("started", { exact: true }).waitFor();
      await page.getByText("4711", { exact: true }).click();
      await page.getByRole("button", { name: "Use its data" }).click();
      await shot(page, "event-panel");
      await page.goto(`${server.url}/triggers?tab=events`);
      await page.getByRole("cell", { name: "order.paid" }).waitFor();
      await server.api("POST", "/api/events/", { name: "nobody.cares" });
      await page.getByText("nobody subscribes").waitFor();
      await shot(page, "events");
      await page.getByLabel("Only events named").fill("order.paid");
      await page.getByText("nobody subscribes").waitFor({ state: "detached" });
      await page.getByRole("link", { name: "Paid orders" }).click();
      await page.getByRole("heading", { name: "Paid orders" }).waitFor();
      await page.getByText("Completed").first().waitFor();
      assert.deepEqual(wrongs, []);
    } catch (error) {
      await shot(page, "events-failed");
      throw error;
    } finally {
      await context.close();
    }
  });

  it("come from a URL that is tried first", async () => {
    const { page, context, wrongs } = await openPage(browser, server);
    try {
      const { id } = await server.create({ name: "Tickets", steps: [{ id: "a", step_type: "set", config: { values: { id: "{{ input.item.id }}" } } }] });
      await page.goto(`${server.url}/workflows/${id}`);
      await page.getByRole("button", { name: "Poll a URL" }).click();
      await page.getByLabel("URL", { exact: true }).fill(`http://127.0.0.1:${source.address().port}/tickets`);
      await page.getByRole("button", { name: "Look now" }).click();
      await page.getByText(/"items" is no list/).waitFor();
      await saved(page);
      const now = await server.api("GET", `/api/workflows/${id}/`);
      const config = { ...now.triggers[0].trigger_config, items: "{{ input.data.tickets }}", first: "start" };
      const response = await fetch(`${server.url}/api/workflows/${id}/`, { method: "PUT", headers: { "content-type": "application/json", "if-match": `"${now.revision}"` }, body: JSON.stringify({ name: "Tickets", triggers: [{ id: now.triggers[0].id, trigger_type: "http_poll", trigger_config: config }], steps: now.steps }) });
      assert.equal(response.status, 200, await response.text());
      await page.goto(`${server.url}/workflows/${id}?step=trigger:${now.triggers[0].id}`);
      await page.getByRole("button", { name: "Look now" }).click();
      await page.getByText("1 item; an execution would get:").waitFor();
      await page.getByText(/"Printer"/).waitFor();
      await shot(page, "poll-panel");
      await server.api("POST", `/api/workflows/${id}/publish/`, {});
      await page.getByText(/Looked at .*: 1 item, 1 execution started\./).waitFor();
      await page.goto(`${server.url}/triggers?tab=sources`);
      await page.getByRole("cell", { name: "Tickets" }).waitFor();
      await shot(page, "sources");
      assert.deepEqual(wrongs, []);
    } catch (error) {
      await shot(page, "poll-failed");
      throw error;
    } finally {
      await context.close();
    }
  });
});

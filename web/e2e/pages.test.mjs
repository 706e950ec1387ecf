// Every page: accessible in both themes and with stretched texts, usable at 320 px, and live through a restart of the server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";

import { launch, node, openPage, Server } from "./harness.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let server;
let browser;
let failed;
let waiting;
let triggered;

before(async () => {
  [server, browser] = await Promise.all([new Server().start(), launch()]);
  const broken = await server.create({ name: "Broken", steps: [{ id: "a", step_type: "log", config: { message: "hello" } }, { id: "b", step_type: "fail", depends_on: ["a"], config: { message: "on purpose" } }] });
  failed = await server.api("POST", `/api/workflows/${broken.id}/run/`, { wait_seconds: 20 });
  const asks = await server.create({
    name: "Asks",
    steps: [{ id: "ask", step_type: "approval", config: { title: "Refund?" } }, { id: "list", step_type: "set", depends_on: [{ step: "ask", when: "approved" }], config: { values: [1, 2, 3] } }, { id: "each", step_type: "noop", depends_on: ["list"], for_each: "{{ steps.list.output }}" }],
  });
  waiting = await server.api("POST", `/api/workflows/${asks.id}/run/`, {});
  triggered = await server.create({
    name: "By itself",
    triggers: [
      { id: "clock", trigger_type: "schedule", trigger_config: { cron: "*/10 * * * *" } },
      { id: "hook", trigger_type: "webhook", trigger_config: { path: "itself", signature: "github", secret: "NOT_THERE", only_if: "{{ input.body.paid }}" } },
      { id: "paid", trigger_type: "event", trigger_config: { name: "order.paid", filter: "{{ input.data.total > 100 }}" } },
      { id: "files", trigger_type: "file_watch", trigger_config: { pattern: "*.csv" } },
    ],
    steps: [{ id: "a", step_type: "log", config: { message: "hello" } }],
  });
  await server.api("POST", `/api/workflows/${triggered.id}/publish/`, {});
  await server.api("POST", "/api/events/", { name: "order.paid", data: { total: 5 } });
  await server.api("POST", `/api/schedules/${triggered.id}/clock/pause/`, { note: "the shop is closed" });
  await server.api("POST", `/api/webhooks/${triggered.id}/hook/listen/`, {});
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const pages = () => [
  ["/", "Needs attention"],
  ["/workflows", "Broken"],
  ["/executions", "Asks"],
  ["/templates", "New user onboarding"],
  ["/triggers", "the shop is closed"],
  ["/triggers?tab=webhooks", "no secret"],
  ["/triggers?tab=events", "filtered out"],
  ["/triggers?tab=sources", "By itself"],
  [`/workflows/${triggered.id}?step=trigger:paid`, "Starts with each"],
  [`/workflows/${triggered.id}?step=trigger:files`, "Look now"],
  [`/workflows/${triggered.id}?step=trigger:clock`, "Paused: the shop is closed"],
  [`/workflows/${triggered.id}?step=trigger:hook`, "Waiting for a request until"],
  [`/workflows/${failed.workflow}`, "No problems"],
  [`/workflows/${failed.workflow}?view=code`, "The whole document"],
  [`/workflows/${failed.workflow}?step=b`, "Message"],
  [`/executions/${failed.id}`, "What happened"],
  [`/executions/${failed.id}?tab=timeline`, "critical path"],
  [`/executions/${failed.id}?tab=events`, "Started"],
  [`/executions/${failed.id}?tab=logs`, "hello"],
  [`/executions/${failed.id}?tab=data`, "No output yet"],
  [`/executions/${waiting.id}`, "Refund?"],
];

async function violations(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  const found = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ["violations"] })).violations);
  return found.map((rule) => `${rule.id}: ${rule.nodes.map((at) => `${at.target.join(" ")} ${at.any[0]?.message ?? at.all[0]?.message ?? ""}`).slice(0, 3).join("; ")}`);
}

describe("the pages", () => {
  for (const theme of ["light", "dark"])
    it(`have no accessibility violations in the ${theme} theme`, async () => {
      const { page, context, wrongs } = await openPage(browser, server, { colorScheme: theme });
      const bad = {};
      for (const [path, text] of pages()) {
        await page.goto(server.url + path);
        await page.getByText(text).filter({ visible: true }).first().waitFor();
        const found = await violations(page);
        if (found.length > 0) bad[path] = found;
      }
      assert.deepEqual(bad, {});
      assert.deepEqual(wrongs, []);
      await context.close();
    });

  it("show no text that is not in the catalog", async () => {
    const { page, context } = await openPage(browser, server);
    for (const path of ["/", "/workflows", "/executions", "/templates", `/executions/${failed.id}`, `/workflows/${failed.workflow}`]) {
      await page.goto(`${server.url}${path}${path.includes("?") ? "&" : "?"}locale=pseudo`);
      await page.locator(".rail").waitFor();
      await page.locator("#content").waitFor();
      const plain = await page.evaluate(() => {
        const wrong = [];
        for (const element of document.querySelectorAll("button, h1, h2, th, label, [role=tab], [role=radio]")) {
          if (element.closest("[data-step], .name, .react-flow, .template, .node, tbody, .minimap, .home-workflows, .attn, .crumbs ~ h1") || element.querySelector("button, h1, h2, input, svg")) continue;
          const text = element.textContent.trim();
          if (/[A-Za-z]{4}/.test(text) && !text.includes("⟦")) wrong.push(text);
        }
        return wrong;
      });
      const allowed = new Set(["Broken"]);
      assert.deepEqual(plain.filter((text) => !allowed.has(text)), [], path);
    }
    await context.close();
  });

  it("can be watched at 320 px without scrolling sideways", async () => {
    const { page, context } = await openPage(browser, server, { viewport: { width: 320, height: 640 } });
    for (const path of ["/", "/workflows", "/executions", `/executions/${failed.id}`]) {
      await page.goto(server.url + path);
      await page.locator("#content").waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${path} is ${wide} px too wide`);
    }
    await page.goto(`${server.url}/workflows/${failed.workflow}`);
    await page.getByText("Read only on a narrow screen").waitFor();
    await context.close();
  });

  it("go on watching an execution through a restart of the server, and approve it", async () => {
    const { page, context } = await openPage(browser, server);
    await page.goto(`${server.url}/executions/${waiting.id}`);
    await page.getByText("Refund?").first().waitFor();
    await page.locator(".saved", { hasText: "live" }).waitFor();
    await server.kill();
    await page.locator(".saved", { hasText: /offline|connecting/ }).waitFor();
    await server.start();
    await page.locator(".saved", { hasText: /^live$/ }).waitFor();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.locator(".topbar .badge", { hasText: "completed" }).waitFor();
    await node(page, "each").getByText("3 of 3").waitFor();
    await context.close();
  });

  it("import what they export", async () => {
    const { page, context, wrongs } = await openPage(browser, server);
    const yaml = await (await fetch(`${server.url}/api/workflows/${failed.workflow}/export/?format=yaml`)).text();
    await page.goto(`${server.url}/workflows`);
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByRole("textbox", { name: "Import a workflow" }).fill(yaml);
    await page.getByRole("dialog").getByRole("button", { name: "Import" }).click();
    await page.waitForURL(/\/workflows\/[0-9a-f-]{36}/);
    await node(page, "b").waitFor();
    const id = new URL(page.url()).pathname.split("/").at(-1);
    assert.notEqual(id, failed.workflow);
    assert.equal(await (await fetch(`${server.url}/api/workflows/${id}/export/?format=yaml`)).text(), yaml);
    assert.deepEqual(wrongs, []);
    await context.close();
  });

  it("retry many at once, counted first", async () => {
    const { page, context } = await openPage(browser, server);
    await page.goto(`${server.url}/executions?status=failed&workflow=${failed.workflow}`);
    await page.getByRole("button", { name: "Retry these" }).click();
    await page.getByRole("button", { name: "Retry 1" }).click();
    await page.getByText("1 done, 0 refused").waitFor();
    await context.close();
  });

  it("take a template as a draft and answer nonsense politely", async () => {
    const { page, context } = await openPage(browser, server);
    await page.goto(`${server.url}/templates`);
    await page.locator(".template", { hasText: "Top customers" }).getByRole("button", { name: "Use this" }).click();
    await page.waitForURL(/\/workflows\/[0-9a-f-]{36}/);
    await page.getByText("No problems").waitFor();
    for (const [path, text] of [["/nowhere", "There is nothing here"], ["/workflows/00000000-0000-7000-8000-000000000000", "not"], ["/executions/nonsense", ""], ["/executions?since=never&status=x", ""]]) {
      await page.goto(server.url + path);
      await page.locator(".state").getByText(text).first().waitFor();
    }
    await context.close();
  });
});

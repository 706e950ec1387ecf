// What a Python developer and a builder do: a function becomes a step with a form, a few lines of code become a step, a mistake is shown where it is looked for.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { codeField, launch, node, openPage, saved, Server } from "./harness.mjs";

const folder = mkdtempSync(join(tmpdir(), "flowpilot-web-"));
const tasks = join(folder, "tasks");
mkdirSync(tasks);
const orders = `from typing import Literal
from flowpilot import task

@task(title="Charge a customer")
def charge(customer: str, amount: float, currency: Literal["EUR", "USD"] = "EUR") -> dict:
    """Takes money.

    Args:
        customer: Id in the billing system.
    """
    print("charging", customer)
    return {"paid": amount, "currency": currency}
`;
writeFileSync(join(tasks, "orders.py"), orders);

let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([new Server(join(folder, "data"), ["--tasks", tasks]).start(), launch()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function onPage(body) {
  const { page, context, wrongs } = await openPage(browser, server);
  try {
    await body(page);
    assert.deepEqual(wrongs, []);
  } finally {
    if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/code-${Date.now()}.png` });
    await context.close();
  }
}

/** Until the server's palette has what `is` looks for: its worker registers and reloads a moment after the server is ready. */
async function palette(is) {
  for (;;) {
    const { results } = await server.api("GET", "/api/task-types/");
    if (results.some(is)) return;
  }
}

describe("code", () => {
  it("shows a function as a step with its form, and runs it", () =>
    onPage(async (page) => {
      await page.goto(`${server.url}/workflows`);
      await page.getByRole("button", { name: "New workflow" }).click();
      await page.waitForURL(/workflows\/[0-9a-f-]{36}/);
      await palette((type) => type.type === "orders.charge");
      await page.getByRole("button", { name: "Add a step" }).first().click();
      await page.getByRole("combobox", { name: "Search steps" }).fill("charge");
      await page.getByRole("option", { name: /Charge a customer/ }).click();
      await page.getByText("Id in the billing system.").waitFor();
      await page.getByRole("textbox", { name: "Customer" }).fill("ada");
      await page.getByRole("spinbutton", { name: "Amount" }).fill("12.5");
      await page.getByRole("combobox", { name: "Currency" }).selectOption("USD");
      await saved(page);
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await page.locator(".run-state .badge", { hasText: "completed" }).waitFor();
      const [latest] = (await server.api("GET", "/api/executions/")).results;
      const { tasks: done } = await server.api("GET", `/api/executions/${latest.id}/`);
      assert.deepEqual(done[0].result, { paid: 12.5, currency: "USD" });
    }));

  it("edits code as code, runs it and says where it broke", () =>
    onPage(async (page) => {
      const { id } = await server.create({ name: "Code", steps: [{ id: "sum", step_type: "javascript", config: { input: [1, 2], code: "return 1" } }] });
      await page.goto(`${server.url}/workflows/${id}`);
      await node(page, "sum").click();
      await codeField(page, "Code").waitFor();
      await codeField(page, "Code").click();
      await page.keyboard.press("Control+a");
      await page.keyboard.press("Delete"); // what is typed over coloured text gets an inline style from Chromium itself, which the page's policy forbids
      await page.keyboard.type("const sum = input.reduce((a, b) => a + b)\nreturn sum.no.such");
      await page.locator('[data-label^="Code"] .cm-lineNumbers').waitFor();
      await saved(page);
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await page.locator(".run-state .badge", { hasText: "failed" }).waitFor();
      await page.getByRole("link", { name: /Open the execution/ }).click();
      await page.getByText(/line 2/).first().waitFor();
    }));

  it("shows a module that can not be imported with its traceback", () =>
    onPage(async (page) => {
      writeFileSync(join(tasks, "broken.py"), "import no_such_module\n");
      await palette((type) => type.source === "problem");
      const { id } = await server.create({ name: "Broken", steps: [{ id: "a", step_type: "noop" }] });
      await page.goto(`${server.url}/workflows/${id}`);
      await node(page, "a").click();
      await page.keyboard.press("n");
      const summary = page.getByText("broken.py can not be imported");
      await summary.click();
      await page.getByText("No module named 'no_such_module'").first().waitFor();
      rmSync(join(tasks, "broken.py"));
    }));
});

// What a builder does: draw, run, see a failure, mend it, go on from there, publish, compare, roll back.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { launch, node, openPage, saved, Server } from "./harness.mjs";

let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([new Server().start(), launch()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Runs `body` on a fresh page and says what went wrong on it, whatever the body noticed. */
async function onPage(body, options) {
  const { page, context, wrongs } = await openPage(browser, server, options);
  try {
    await body(page);
    assert.deepEqual(wrongs, []);
  } catch (error) {
    if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/failed-${Date.now()}.png` });
    if (wrongs.length > 0) error.message += `\n${wrongs.join("\n")}`;
    throw error;
  } finally {
    await context.close();
  }
}

async function idOf(page) {
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}/);
  return new URL(page.url()).pathname.split("/").at(-1);
}

async function pickType(page, text) {
  await page.getByRole("combobox", { name: "Search steps" }).fill(text);
  await page.keyboard.press("Enter");
}

async function runDraft(page) {
  await page.getByRole("button", { name: "Run", exact: true }).click();
}

const statusBadge = (page, status) => page.locator(".run-state .badge", { hasText: status }).waitFor();

describe("the designer", () => {
  it("draws five steps with the mouse, runs, mends what failed, goes on from there, publishes, compares, rolls back", () =>
    onPage(async (page) => {
      await page.goto(`${server.url}/workflows`);
      await page.getByRole("button", { name: "New workflow" }).click();
      const id = await idOf(page);
      await page.getByRole("button", { name: "Add a step" }).first().click();
      await pickType(page, "set");
      await page.getByLabel("Name of the step").fill("First");
      const drop = async (from, text, name, dx, dy) => {
        const ring = await node(page, from).locator(".h-out").first().boundingBox();
        await page.mouse.move(ring.x + ring.width / 2, ring.y + ring.height / 2);
        await page.mouse.down();
        await page.mouse.move(ring.x + dx / 2, ring.y + dy / 2, { steps: 4 });
        await page.mouse.move(ring.x + dx, ring.y + dy, { steps: 4 });
        await page.mouse.up();
        await pickType(page, text);
        await page.getByLabel("Name of the step").fill(name);
      };
      await drop("First", "conditional", "Is it", 90, 0);
      await page.getByRole("button", { name: "Fit all" }).click();
      await drop("Is it", "fail", "Breaks", 90, -60);
      await page.getByRole("button", { name: "Fit all" }).click();
      await drop("Breaks", "log", "Last", 90, 0);
      await page.getByRole("button", { name: "Fit all" }).click();
      await node(page, "First").click();
      await page.getByRole("button", { name: /Insert a step between set and/ }).first().dispatchEvent("click");
      await pickType(page, "noop");
      await page.getByLabel("Name of the step").fill("Between");

      // Parameters, through the forms.
      await page.getByRole("button", { name: "Fit all" }).click();
      await node(page, "First").click();
      await page.getByRole("radio", { name: "Raw" }).first().click();
      await fillCode(page, "Values, required", '{"yes": true}');
      await node(page, "Is it").click();
      await fillCode(page, "Condition, required", "{{ steps.set.output.yes }}");
      await node(page, "Breaks").click();
      await page.getByRole("textbox", { name: "Message" }).fill("broken on purpose");
      await page.getByRole("button", { name: "Fit all" }).click();
      await node(page, "Last").click();
      await fillCode(page, "Message, required", "done");
      await saved(page);
      await page.getByText("No problems").waitFor();
      let document = await server.api("GET", `/api/workflows/${id}/`);
      assert.deepEqual(document.steps.map((step) => step.step_type).sort(), ["conditional", "fail", "log", "noop", "set"]);
      assert.deepEqual(document.steps.find((step) => step.step_type === "conditional").depends_on, ["noop"]);
      assert.deepEqual(document.steps.find((step) => step.step_type === "fail").depends_on, [{ step: "conditional", when: "true" }]);

      await runDraft(page);
      await statusBadge(page, "failed");
      await node(page, "Breaks").locator('[data-s="failed"]').waitFor();
      await node(page, "Last").locator('[data-s="skipped"]').waitFor();

      // From the execution: why, mend, and go on from the failed step.
      await page.getByRole("link", { name: /Open the execution/ }).click();
      await page.getByText("broken on purpose").first().waitFor();
      const execution = new URL(page.url()).pathname.split("/").at(-1);
      document.steps.find((step) => step.step_type === "fail").step_type = "noop";
      await page.goto(`${server.url}/workflows/${id}`);
      await node(page, "Breaks").click();
      await page.keyboard.press("r");
      await pickType(page, "noop");
      await saved(page);
      await page.goto(`${server.url}/executions/${execution}`);
      await page.getByRole("button", { name: "Retry" }).click();
      await page.getByRole("radio", { name: "Draft", exact: true }).click();
      await page.getByText("reuse 3, run 2").first().waitFor();
      await page.getByRole("button", { name: "Run 2 steps" }).click();
      await page.waitForURL((url) => url.pathname.startsWith("/executions/") && !url.pathname.endsWith(execution));
      await page.locator(".topbar .badge", { hasText: "completed" }).waitFor();

      // Publish twice, compare, and roll back.
      await page.goto(`${server.url}/workflows/${id}`);
      const publish = async () => {
        await page.getByRole("button", { name: "Publish", exact: true }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
      };
      await publish();
      await page.locator(".pill", { hasText: "Live v1" }).waitFor();
      await node(page, "Last").click();
      await page.getByLabel("Name of the step").fill("The end");
      await page.locator(".pill", { hasText: "draft +1" }).waitFor();
      await saved(page);
      await publish();
      await page.locator(".pill", { hasText: "Live v2" }).waitFor();
      await page.getByRole("tab", { name: "Versions" }).click();
      const first = page.getByRole("listitem").filter({ hasText: "v1" });
      await first.getByRole("button", { name: "Compare" }).click();
      await page.getByRole("dialog").getByText("1 changed").waitFor();
      await page.getByRole("dialog").getByRole("radio", { name: "Fields" }).click();
      await page.getByRole("dialog").locator("ins", { hasText: "The end" }).waitFor();
      await page.keyboard.press("Escape");
      await first.getByRole("button", { name: "Make live again" }).click();
      await page.locator(".pill", { hasText: "Live v1" }).waitFor();
      document = await server.api("GET", `/api/workflows/${id}/`);
      assert.equal(document.published_version, 1);
    }));

  it("draws, connects, sets, runs and publishes five steps without a mouse", () =>
    onPage(async (page) => {
      const { id } = await server.create({ name: "By keyboard", steps: [] });
      await page.goto(`${server.url}/workflows/${id}`);
      await page.getByText("Draw your first step").waitFor();
      const add = async (text, name) => {
        await page.keyboard.press("n");
        await page.keyboard.type(text);
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => document.activeElement?.classList.contains("react-flow__node"));
        await page.keyboard.press("F2");
        await page.locator(".name-input:focus").waitFor();
        await page.keyboard.type(name);
        await page.keyboard.press("Escape");
        await node(page, name).waitFor();
      };
      await page.locator("body").press("1");
      await add("nothing", "One");
      await focusStep(page, "One");
      await add("nothing", "Two");
      await focusStep(page, "Two");
      await add("nothing", "Three");
      await focusStep(page, "One");
      await add("nothing", "Four");
      await focusStep(page, "Four");
      await add("nothing", "Five");
      // Connect Three to Five by typing its name.
      await focusStep(page, "Three");
      await page.keyboard.press("c");
      await page.locator(".connect-bar").waitFor();
      await page.keyboard.type("five");
      await page.keyboard.press("Enter");
      await node(page, "Three").and(page.locator(":focus")).waitFor(); // and back to where it began
      // Arrows follow the wires.
      await focusStep(page, "One");
      await page.keyboard.press("ArrowRight");
      await node(page, "Two").locator(".is-selected").waitFor();
      await page.keyboard.press("Control+s");
      await saved(page);
      const { steps } = await server.api("GET", `/api/workflows/${id}/`);
      assert.deepEqual(steps.find((step) => step.name === "Five").depends_on, [steps.find((step) => step.name === "Four").id, steps.find((step) => step.name === "Three").id]);
      await page.keyboard.press("Control+Enter");
      await statusBadge(page, "completed");
      await page.keyboard.press("Control+Shift+s");
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      await dialog.getByRole("button", { name: "Publish" }).focus();
      await page.keyboard.press("Enter");
      await page.locator(".pill", { hasText: "Live v1" }).waitFor();
    }));

  it("undoes and redoes everything, also after a reload, and copies as text", () =>
    onPage(async (page) => {
      const { id } = await server.create({ name: "Undone", steps: [{ id: "a", step_type: "noop" }, { id: "b", step_type: "noop", depends_on: ["a"] }, { id: "c", step_type: "noop", depends_on: ["b"] }] });
      await page.goto(`${server.url}/workflows/${id}`);
      await node(page, "b").click();
      await page.keyboard.press("Delete");
      await node(page, "b").waitFor({ state: "detached" });
      await saved(page);
      assert.deepEqual((await server.api("GET", `/api/workflows/${id}/`)).steps.find((step) => step.id === "c").depends_on, ["a"], "deleting reconnects");
      await page.reload();
      await node(page, "a").waitFor();
      await page.locator("body").press("Control+z");
      await node(page, "b").waitFor();
      await page.locator("body").press("Control+Shift+z");
      await node(page, "b").waitFor({ state: "detached" });
      await page.locator("body").press("Control+a");
      await page.locator("body").press("Control+c");
      const text = await page.evaluate(() => navigator.clipboard.readText());
      assert.equal(JSON.parse(text).format, "flowpilot/clip@1");
      await page.locator("body").press("Control+v");
      await page.locator(".react-flow__node-step").nth(3).waitFor();
      await saved(page);
      const { steps } = await server.api("GET", `/api/workflows/${id}/`);
      assert.deepEqual(steps.map((step) => step.id), ["a", "c", "a_2", "c_2"]);
      assert.deepEqual(steps[3].depends_on, ["a_2"]);
    }));

  it("edits the same document as YAML and on the canvas", () =>
    onPage(async (page) => {
      const { id } = await server.create({ name: "Text", steps: [{ id: "a", step_type: "noop" }] });
      await page.goto(`${server.url}/workflows/${id}?view=code`);
      await fillCode(page, "Code", "name: Text\nsteps:\n  - id: a\n    step_type: noop\n  - id: b\n    step_type: log\n    depends_on: [a]\n    config:\n      message: hello\n");
      await saved(page);
      await page.getByRole("radio", { name: "Canvas" }).click();
      await node(page, "b").waitFor();
      assert.deepEqual((await server.api("GET", `/api/workflows/${id}/`)).steps[1].config, { message: "hello" });
      await page.getByRole("radio", { name: "Code" }).click();
      await fillCode(page, "Code", "name: Text\nsteps: [");
      await page.getByRole("alert").waitFor();
      assert.equal((await server.api("GET", `/api/workflows/${id}/`)).steps.length, 2, "what is no YAML changes nothing");
    }));

  it("shows a conflict field by field and drops nothing by itself", () =>
    onPage(async (page) => {
      const { id } = await server.create({ name: "Two people", steps: [{ id: "a", step_type: "log", config: { message: "old" } }] });
      await page.goto(`${server.url}/workflows/${id}`);
      await node(page, "a").waitFor();
      const response = await fetch(`${server.url}/api/workflows/${id}/`, {
        method: "PUT",
        headers: { "content-type": "application/json", "if-match": '"1"' },
        body: JSON.stringify({ name: "Two people", steps: [{ id: "a", step_type: "log", config: { message: "theirs" } }, { id: "b", step_type: "noop" }] }),
      });
      assert.equal(response.status, 200);
      await node(page, "a").click();
      await page.getByLabel("Name of the step").fill("Mine");
      const dialog = page.getByRole("dialog", { name: /changed elsewhere/ });
      await dialog.waitFor();
      const message = dialog.getByRole("listitem").filter({ hasText: "config.message" });
      await message.getByRole("radio").nth(1).check();
      await dialog.getByRole("listitem").filter({ hasText: "b" }).filter({ hasText: "noop" }).getByRole("radio").nth(1).check();
      await dialog.getByRole("button", { name: "Save the choice" }).click();
      await saved(page);
      const { steps } = await server.api("GET", `/api/workflows/${id}/`);
      assert.deepEqual(steps.map((step) => [step.id, step.name ?? null, step.config?.message ?? null]), [["a", "Mine", "theirs"], ["b", null, null]]);
    }));

  it("keeps every edit when the tab is killed, whatever was edited last", async () => {
    const trials = Number(process.env.FLOWPILOT_KILL_TABS ?? 5);
    const random = randomFrom(Number(process.env.FLOWPILOT_SEED ?? 1));
    const { id } = await server.create({ name: "Killed", steps: [{ id: "a", name: "Start", step_type: "log", config: { message: "start" } }] });
    const { context, page: first } = await openPage(browser, server);
    await first.goto(`${server.url}/workflows/${id}`);
    let page = first;
    const shown = async () => {
      await page.getByRole("radio", { name: "Code" }).click();
      const text = await page.locator('[data-code="yaml"] .cm-content').innerText();
      await page.getByRole("radio", { name: "Canvas" }).click();
      return text;
    };
    for (let trial = 0; trial < trials; ++trial) {
      // The server does not get these edits: only the browser has them when the tab dies.
      await page.route("**/api/workflows/**", (route) => (route.request().method() === "PUT" ? route.abort() : route.continue()));
      const step = page.locator(".react-flow__node-step").first();
      for (let count = 1 + random(3); count > 0; --count) {
        await step.focus(); // which chooses it; a copy may lie over it
        const edit = random(6);
        if (edit <= 1) await page.getByLabel("Name of the step").fill(`Edit ${trial}.${count}`);
        else if (edit === 2) await step.press("Control+ArrowDown");
        else if (edit === 3) await step.press("d");
        else if (edit === 4) {
          const steps = page.locator(".react-flow__node-step");
          const had = await steps.count();
          await step.press("Control+d");
          await steps.nth(had).waitFor();
          await page.keyboard.press("Delete"); // the copy goes again
          await steps.nth(had).waitFor({ state: "detached" });
        } else await page.locator("body").press("Control+z");
      }
      await page.waitForTimeout(300); // within this time every edit must be kept: it is what is tested
      const before = await shown();
      const session = await context.newCDPSession(page);
      const crashed = page.waitForEvent("crash");
      void session.send("Page.crash").catch(() => {});
      await crashed;
      page = await context.newPage();
      await page.goto(`${server.url}/workflows/${id}`);
      await page.locator(".react-flow__node-step").first().waitFor();
      assert.equal(await shown(), before, `trial ${trial}`);
      if (trials > 50) console.log(`# killed ${trial + 1} tabs, nothing lost`);
      await saved(page);
    }
    await context.close();
  });

  it("plans and runs a part, with pinned data instead of a step", () =>
    onPage(async (page) => {
      const { id } = await server.create({
        name: "Part",
        steps: [{ id: "a", step_type: "fail", config: { message: "not today" } }, { id: "b", step_type: "set", depends_on: ["a"], config: { values: { got: "{{ steps.a.output.n }}" } } }, { id: "c", step_type: "fail", depends_on: ["b"], config: { message: "never" } }],
      });
      await page.goto(`${server.url}/workflows/${id}`);
      await node(page, "a").click();
      await page.getByRole("tab", { name: "Output" }).click();
      await page.getByRole("button", { name: "Pin this output" }).click();
      await fillCode(page, "Pinned data (JSON)", '{"n": 7}');
      await node(page, "a").getByText("pinned").waitFor();
      await node(page, "b").click();
      await page.keyboard.press("Control+Shift+Enter");
      const dialog = page.getByRole("dialog");
      await dialog.getByText("reuse 1, run 1").waitFor();
      await dialog.getByRole("button", { name: "Run 1 step" }).click();
      await statusBadge(page, "completed");
      await node(page, "c").locator('[data-s="skipped"]').waitFor();
    }));
});

/** Whole numbers below a limit, the same for the same seed. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Tab would bring the focus there as well, step by step. */
async function focusStep(page, name) {
  await node(page, name).focus();
  await node(page, name).locator(".is-selected").waitFor();
}

/** Replaces the text of a code field. */
async function fillCode(page, label, text) {
  const field = page.locator(`[data-code][data-label="${label}"] .cm-content`).first();
  await field.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(text);
}

// What a builder does with a schedule: choose it in words, see its cron and its next times, publish it, let it fire.
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

describe("schedules", () => {
  it("are paused, resumed, started and filled by hand, in the editor and on the page of triggers", async () => {
    const { page, context, wrongs } = await openPage(browser, server);
    try {
      const { id } = await server.create({ name: "Report", triggers: [{ id: "clock", trigger_type: "schedule", trigger_config: { cron: "0 * * * *", overlap: "allow" } }], steps: [{ id: "a", step_type: "log", config: { message: "hello" } }] });
      await server.api("POST", `/api/workflows/${id}/publish/`, {});
      await page.goto(`${server.url}/triggers`);
      await page.getByRole("button", { name: "More: Report · clock" }).click();
      await page.getByRole("menuitem", { name: "Pause" }).click();
      await page.getByLabel("Why").fill("the shop is closed");
      await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
      await page.getByText("the shop is closed").waitFor();
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/triggers.png` });
      await page.goto(`${server.url}/workflows`);
      await page.getByRole("link", { name: "schedule paused" }).click();
      await page.getByRole("link", { name: "Report" }).click();
      await page.getByText("Paused: the shop is closed").waitFor();
      await page.getByRole("button", { name: "Resume" }).click();
      await page.getByText(/Fires next at/).waitFor();
      await page.getByRole("button", { name: "Start now" }).click();
      await page.getByText("started by hand").waitFor();
      await page.getByRole("button", { name: "Backfill" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("From").fill("2026-03-01T08:00");
      await dialog.getByLabel("Until").fill("2026-03-01T11:30");
      await dialog.getByText(/^4 executions would start/).waitFor();
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/backfill.png` });
      await dialog.getByRole("button", { name: "Start 4" }).click();
      await dialog.getByText("4 executions started.").waitFor();
      await dialog.getByRole("button", { name: "Close" }).click();
      await page.getByText("backfilled").first().waitFor();
      await page.getByLabel("Fires", { exact: true }).selectOption("at");
      await page.getByLabel("At (on your clock)").fill("2030-01-01T12:00");
      await page.getByLabel("Pause after so many failures").fill("3");
      await saved(page);
      const { triggers } = await server.api("GET", `/api/workflows/${id}/`);
      assert.deepEqual(triggers[0].trigger_config, { overlap: "allow", at: new Date("2030-01-01T12:00").toISOString(), pause_after_failures: 3 });
      const { results } = await server.api("GET", `/api/schedules/${id}/clock/fires/`);
      assert.deepEqual(results.map((tick) => tick.outcome), ["manual", "backfilled", "backfilled", "backfilled", "backfilled"]);
      assert.deepEqual(wrongs, []);
    } catch (error) {
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/schedule-hand-failed.png` });
      throw error;
    } finally {
      await context.close();
    }
  });

  it("are built in words, shown in cron and as times, and fire", async () => {
    const { page, context, wrongs } = await openPage(browser, server);
    try {
      const { id } = await server.create({ name: "Nightly", steps: [{ id: "a", step_type: "log", config: { message: "hello" } }] });
      await page.goto(`${server.url}/workflows/${id}`);
      await page.getByRole("button", { name: "Add a schedule" }).click();
      await page.getByText("Draft only: publish it, and it fires.").waitFor();
      await page.getByLabel("When", { exact: true }).selectOption("workdays");
      assert.equal(await page.getByLabel("Cron expression").inputValue(), "0 6 * * MON-FRI");
      await page.getByLabel("Time zone").selectOption("Europe/Berlin");
      const times = page.getByRole("list", { name: "Next times" }).getByRole("listitem");
      await times.filter({ hasText: "06:00" }).first().waitFor();
      assert.equal(await times.count(), 10);
      await page.getByLabel("Cron expression").fill("30 2 * 3 SUN");
      await page.getByText("clocks go forward").first().waitFor();
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/schedule.png` });
      await page.getByLabel("Cron expression").fill("61 * * * *");
      await page.getByRole("alert").filter({ hasText: "minute" }).first().waitFor();
      await page.getByLabel("Cron expression").fill("* * * * * *");
      await page.getByLabel("When the execution before it").selectOption("allow");
      await saved(page);
      await page.getByRole("button", { name: "Publish", exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Publish", exact: true }).click();
      await node(page, "schedule").click();
      await page.getByText("fired", { exact: true }).first().waitFor();
      await page.getByText(/Fires next at/).waitFor();
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/schedule-fires.png` });
      const { results } = await server.api("GET", `/api/schedules/${id}/schedule/fires/`);
      assert.ok(results.every((tick) => tick.outcome === "fired"));
      // What the browser itself says of the 422 of a wrong expression.
      assert.deepEqual(wrongs.filter((wrong) => !wrong.includes("422")), []);
    } catch (error) {
      if (process.env.FLOWPILOT_SHOTS) await page.screenshot({ path: `${process.env.FLOWPILOT_SHOTS}/schedule-failed.png` });
      throw error;
    } finally {
      await context.close();
    }
  });
});

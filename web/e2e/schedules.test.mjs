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

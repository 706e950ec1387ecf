// Executions with much in them: 40,000 tasks, a million log lines, a result of 10 MB.
import { frame, openMeasured, say, sayTime, wheel, work } from "./measure.mjs";

const down = Array.from({ length: 60 }, (_, n) => [0, n % 20 < 14 ? 400 : -300]);

async function finish(server, workflow, seconds = 300) {
  let execution = await server.api("POST", `/api/workflows/${workflow.id}/run/`, { draft: true });
  const started = Date.now();
  while (!["completed", "failed"].includes(execution.status)) {
    if (Date.now() - started > seconds * 1000) throw new Error(`${workflow.name} takes too long`);
    await new Promise((done) => setTimeout(done, 250));
    execution = (await server.api("GET", `/api/executions/?workflow=${workflow.id}`)).results[0];
  }
  if (execution.status !== "completed") throw new Error(`${workflow.name}: ${JSON.stringify(execution)}`);
  return execution.id;
}

export async function measureTimeline(browser, server) {
  const rows = 40_000;
  const workflow = await server.create({
    name: "many tasks",
    steps: [
      { id: "list", step_type: "javascript", config: { code: `return Array.from({length: ${rows - 2}}, (_, n) => n)` } },
      { id: "each", step_type: "noop", depends_on: ["list"], for_each: "{{ steps.list.output }}", config: { output: "{{ item }}" } },
    ],
  });
  const id = await finish(server, workflow);
  const measured = await openMeasured(browser, server);
  const { page, context, wrongs } = measured;
  const opened = await work(measured, async () => {
    await page.goto(`${server.url}/executions/${id}`);
    await page.getByRole("tab", { name: "Timeline" }).waitFor({ timeout: 60_000 });
    await frame(page);
  });
  sayTime("40,000 tasks: the execution's page, address to drawn", opened);
  say("40,000 tasks: the execution's page, longest task", opened.longest, "ms");
  const grid = page.locator('.tl-scroll[aria-rowcount]');
  const line = await work(measured, async () => {
    await page.getByRole("tab", { name: "Timeline" }).click();
    await grid.getByRole("row").nth(10).waitFor();
    await frame(page);
  });
  say("time line: rows", Number(await grid.getAttribute("aria-rowcount")), "");
  sayTime("time line of 40,000 rows: click to drawn", line, 500);
  say("time line of 40,000 rows: longest task of it", line.longest, "ms", 300);
  const whole = await work(measured, () => page.locator('.tl[data-complete="true"]').waitFor({ timeout: 60_000 }));
  say("time line of 40,000 rows: until the journal is read whole", line.elapsed + whole.elapsed, "ms");
  say("time line of 40,000 rows: longest task meanwhile", whole.longest, "ms", 200);
  const box = await grid.boundingBox();
  const scrolled = await work(measured, () => wheel(page, [box.x + 300, box.y + 100], down));
  say("time line of 40,000 rows: scroll, main thread a frame", scrolled.perFrame, "ms", 12);
  say("time line of 40,000 rows: scroll, longest task", scrolled.longest, "ms", 100);
  const jumped = await work(measured, async () => {
    await grid.evaluate((element) => (element.scrollTop = element.scrollHeight / 2));
    await frame(page);
  });
  say("time line of 40,000 rows: jump to the middle", jumped.task, "ms", 50);
  const events = await work(measured, async () => {
    await page.getByRole("tab", { name: "Events" }).click();
    await page.getByRole("option").nth(10).waitFor();
    await frame(page);
  });
  sayTime("events of 40,000 tasks: click to drawn", events, 500);
  if (wrongs.length > 0) console.log(wrongs.join("\n"));
  await context.close();
}

export async function measureLog(browser, server) {
  // The log of an attempt ends at 10,000 lines: a hundred attempts make a million.
  const workflow = await server.create({
    name: "much to say",
    steps: [
      { id: "list", step_type: "javascript", config: { code: "return Array.from({length: 100}, (_, n) => n)" } },
      { id: "say", step_type: "javascript", depends_on: ["list"], for_each: "{{ steps.list.output }}", max_parallel: 4, timeout_seconds: 60, config: { code: "for (let n = 0; n < 10000; ++n) console.log('line ' + n + ' of the work, with some text behind it' + (n === 5000 ? ' needle' : ''))" } },
    ],
  });
  const id = await finish(server, workflow);
  const measured = await openMeasured(browser, server);
  const { page, context, wrongs } = measured;
  await page.goto(`${server.url}/executions/${id}`);
  const tab = page.getByRole("tab", { name: "Logs", exact: true }).first();
  await tab.waitFor();
  const window = page.locator(".log-lines");
  const opened = await work(measured, async () => {
    await tab.click();
    await window.locator("[data-line]").nth(10).waitFor();
    await frame(page);
  });
  say("log: lines", Number((await page.locator(".log-foot").textContent()).replace(/\D/g, "")), "");
  sayTime("log of 1,000,000 lines: click to its end drawn", opened, 300);
  say("log of 1,000,000 lines: longest task of it", opened.longest, "ms", 100);
  const box = await window.boundingBox();
  const scrolled = await work(measured, () => wheel(page, [box.x + 300, box.y + 100], down.map(([x, y]) => [x, -y])));
  say("log of 1,000,000 lines: scroll, main thread a frame", scrolled.perFrame, "ms", 12);
  say("log of 1,000,000 lines: scroll, longest task", scrolled.longest, "ms", 100);
  const jumped = await work(measured, async () => {
    await window.evaluate((element) => (element.scrollTop = element.scrollHeight / 3));
    await page.waitForFunction(() => {
      const lines = [...document.querySelectorAll(".log-lines [data-line]")].map((line) => Number(line.dataset.line));
      return lines.length > 20 && lines.every((line) => line > 300_000 && line < 400_000);
    });
    await frame(page);
  });
  sayTime("log of 1,000,000 lines: jump to a third of it, lines there", jumped, 500);
  const searched = await work(measured, async () => {
    await page.getByRole("searchbox", { name: "Search all lines" }).fill("needle");
    await page.locator(".log-foot", { hasText: /^[1-9]\d* found/ }).waitFor();
    await frame(page);
  });
  sayTime("log of 1,000,000 lines: search of all lines (0.2 s of it for typing)", searched, 1200);
  say("log of 1,000,000 lines: search, longest task", searched.longest, "ms", 100);
  if (wrongs.length > 0) console.log(wrongs.join("\n"));
  await context.close();
}

export async function measureResult(browser, server) {
  const workflow = await server.create({
    name: "much data",
    steps: [
      { id: "big", name: "Big", step_type: "javascript", config: { code: "return {rows: Array.from({length: 50000}, (_, n) => ({id: n, name: 'customer ' + n, email: 'customer' + n + '@example.org', text: 'x'.repeat(110), score: n % 100}))}" } },
      { id: "next", name: "Next", step_type: "log", depends_on: ["big"], config: { message: "{{ steps.big.output.rows[0].name }}" } },
    ],
  });
  const id = await finish(server, workflow);
  const { tasks } = await server.api("GET", `/api/executions/${id}/`);
  say("result: its size", tasks[0].result.bytes / 1024 / 1024, "MB");
  const measured = await openMeasured(browser, server);
  const { page, context, wrongs } = measured;
  await page.goto(`${server.url}/workflows/${workflow.id}?execution=${id}`);
  const big = page.locator('.react-flow__node[data-id="big"]');
  await big.waitFor();
  await page.getByRole("tab", { name: "Run data" }).click();
  const opened = await work(measured, async () => {
    await big.click();
    await page.getByRole("treeitem").first().waitFor();
    await frame(page);
  });
  sayTime("result of 10 MB: click to its first values", opened, 300);
  say("result of 10 MB: longest task of it", opened.longest, "ms", 100);
  const rows = await work(measured, async () => {
    await page.getByRole("button", { name: "rows", exact: true }).click();
    await page.getByRole("treeitem").nth(20).waitFor();
    await frame(page);
  });
  sayTime("result of 10 MB: a list of 50,000 in it opened", rows, 300);
  for (const [view, ready] of [["Table", page.locator(".data-table .data-row").nth(5)], ["Schema", page.locator("ul.data-tree li").nth(3)]]) {
    const shown = await work(measured, async () => {
      await page.getByRole("radio", { name: view }).click();
      await ready.waitFor();
      await frame(page);
    });
    sayTime(`result of 10 MB: as ${view.toLowerCase()}`, shown, 300);
  }
  // Typing beside it: the step after it, whose expressions read that output.
  await page.getByRole("tab", { name: "Step", exact: true }).click();
  const next = page.locator('.react-flow__node[data-id="next"]');
  const panel = await work(measured, async () => {
    await next.click();
    await page.locator('[data-label^="Message"] .cm-content').waitFor();
    await page.locator(".upstream").getByRole("treeitem").first().waitFor();
    await frame(page);
  });
  sayTime("result of 10 MB: the panel of the step after it", panel, 300);
  await page.locator('[data-label^="Message"] .cm-content').click();
  await page.keyboard.press("Control+End");
  const letters = [];
  for (const letter of " and more") letters.push((await work(measured, async () => {
    await page.keyboard.type(letter);
    await frame(page);
  })).task);
  say("result of 10 MB: a letter typed into a field beside it, the slowest", Math.max(...letters), "ms", 50);
  if (wrongs.length > 0) console.log(wrongs.join("\n"));
  await context.close();
}

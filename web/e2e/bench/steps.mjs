// Drawing with 1,000 and 3,000 steps: open, pan, zoom, undo, tidy, and a live run.
import { frame, openMeasured, say, sayTime, wheel, work } from "./measure.mjs";
import { Worker } from "./worker.mjs";

const width = 20;

/** Steps in columns of 20, each after one or two of the column before. */
export function graph(count, name, type) {
  const kinds = ["noop", "set", "log"];
  const config = (n) => [{ output: n }, { values: { n } }, { message: `line ${n}` }][n % 3];
  const steps = Array.from({ length: count }, (_, n) => ({
    id: `s${n}`,
    name: `Step number ${n}`,
    step_type: type ?? kinds[n % 3],
    config: type ? { n } : config(n),
    ...(n >= width ? { depends_on: [`s${n - width}`, ...(n % 5 === 0 && n - width + 1 < n ? [`s${n - width + 1}`] : [])] } : {}),
  }));
  const positions = Object.fromEntries(steps.map((step, n) => [step.id, [Math.floor(n / width) * 224, (n % width) * 80]]));
  return { name, steps, ui: { positions } };
}

async function zoomTo(page, percent) {
  await page.evaluate(() => document.activeElement?.blur?.());
  await page.locator("body").press("0");
  for (let turn = 0; turn < 60; ++turn) {
    const now = Number.parseInt(await page.locator(".zoom-now").textContent(), 10);
    if (Math.abs(now - percent) <= percent * 0.15) return;
    await page.mouse.move(700, 450);
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, now > percent ? 60 : -60);
    await page.keyboard.up("Control");
    await frame(page);
  }
}

/** Opens the workflow by its link in the list, with the page's own code there already, as for somebody at work. */
async function openByLink(measured, server, id, name) {
  const { page } = measured;
  await page.goto(`${server.url}/workflows/${id}`);
  await page.locator(".far, .react-flow__node").first().waitFor();
  await page.getByRole("link", { name: "Workflows" }).first().click();
  const link = page.getByRole("link", { name, exact: true });
  await link.waitFor();
  return work(measured, async () => {
    await link.click();
    await page.locator(".far, .react-flow__node").first().waitFor();
    await frame(page);
  });
}

const panning = Array.from({ length: 60 }, (_, n) => [n % 40 < 20 ? 40 : -40, n % 30 < 15 ? 24 : -24]);

export async function measureSteps(browser, server, count, limits) {
  const name = `${count} steps`;
  const { id } = await server.create(graph(count, name));
  const measured = await openMeasured(browser, server);
  const { page, context, wrongs } = measured;
  sayTime(`${name}: open, click to drawn`, (await openByLink(measured, server, id, name)), limits.open);

  for (const percent of [100, 60, 45, 20, 8]) {
    await zoomTo(page, percent);
    const { perFrame, longest } = await work(measured, () => wheel(page, [700, 450], panning));
    const at = (await page.locator(".zoom-now").textContent()).trim();
    say(`${name}: pan at ${at}, main thread a frame`, perFrame, "ms", limits.frame);
    say(`${name}: pan at ${at}, longest task`, longest, "ms", 120);
  }
  await zoomTo(page, 45);
  const sweep = await work(measured, async () => {
    await page.mouse.move(700, 450);
    await page.keyboard.down("Control");
    await wheel(page, [700, 450], Array.from({ length: 60 }, (_, n) => [0, n < 30 ? -30 : 30]));
    await page.keyboard.up("Control");
  });
  say(`${name}: zoom through the far limit, main thread a frame`, sweep.perFrame, "ms", limits.frame);
  say(`${name}: zoom through the far limit, longest task`, sweep.longest, "ms", 120);

  // Typing into a name, as a hundred steps are on screen.
  const edited = [];
  await zoomTo(page, 60);
  await page.mouse.click(700, 450);
  await page.keyboard.press("ArrowRight");
  const field = page.getByLabel("Name of the step");
  await field.click();
  for (const letter of "typed") edited.push((await work(measured, async () => {
    await page.keyboard.type(letter);
    await frame(page);
  })).task);
  say(`${name}: a letter typed into a step's name, median`, edited.sort((a, b) => a - b)[2], "ms", 50);

  // An edit of everything, undone.
  await page.evaluate(() => document.activeElement?.blur?.());
  await page.locator("body").press("Escape");
  await page.locator("body").press("0");
  await page.locator("body").press("Control+a");
  await page.locator("body").press("d");
  const times = [];
  for (let n = 0; n < 6; ++n) {
    const { task } = await work(measured, async () => {
      await page.locator("body").press(n % 2 === 0 ? "Control+z" : "Control+Shift+z");
      await frame(page);
    });
    times.push(task);
  }
  say(`${name}: undo or redo of an edit of all steps, median`, times.sort((a, b) => a - b)[2], "ms", limits.undo);

  // Tidy: in the worker, the page goes on.
  await page.locator("body").press("Escape");
  await page.locator("body").press("1");
  await page.locator(".saved", { hasText: /^Saved$/ }).waitFor();
  const tidied = await work(measured, async () => {
    await page.getByRole("button", { name: "Tidy up" }).click();
    await page.getByRole("button", { name: /^Undo: tidy up/ }).waitFor({ timeout: 60_000 });
    await frame(page);
  });
  sayTime(`${name}: tidy up, until it is placed`, tidied, limits.tidy);
  say(`${name}: tidy up, longest task`, tidied.longest, "ms", limits.tidyTask);
  if (wrongs.length > 0) console.log(wrongs.join("\n"));
  await context.close();
}

/** 100 status changes a second over 1,000 steps: a worker that ends 50 a second, each of which starts and ends. */
export async function measureLive(browser, server) {
  const worker = await new Worker(server, "bench.step", 64).register();
  const { id } = await server.create(graph(1000, "live", "bench.step"));
  const measured = await openMeasured(browser, server);
  const { page, context, wrongs } = measured;
  await page.goto(`${server.url}/workflows/${id}`);
  await page.locator(".far, .react-flow__node").first().waitFor();
  for (const [what, key] of [["the whole in view", "1"], ["at 100 %", "0"]]) {
    await page.evaluate(() => document.activeElement?.blur?.());
    await page.locator("body").press(key);
    await page.locator("body").press("Control+Enter");
    await page.locator(".run-state .badge", { hasText: "running" }).waitFor();
    let seconds = 0;
    const live = await work(measured, async () => {
      seconds = await worker.endAtRate(50, 1000);
      await page.locator(".run-state .badge", { hasText: "completed" }).waitFor({ timeout: 60_000 });
    });
    say(`live run, ${what}: status changes a second`, 2000 / seconds, "");
    say(`live run, ${what}: longest task`, live.longest, "ms", 100);
    say(`live run, ${what}: main thread a frame`, live.perFrame, "ms");
    say(`live run, ${what}: main thread share`, (live.task / live.elapsed) * 100, "%");
  }
  if (wrongs.length > 0) console.log(wrongs.join("\n"));
  await context.close();
  await worker.close();
}

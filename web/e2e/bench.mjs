// How quick the page is with large workflows: main-thread milliseconds, which a busy machine disturbs less than frames do.
// FLOWPILOT_BIN=build/release/flowpilot node web/e2e/bench.mjs [limits]   With "limits" the process fails when one is passed.
import { launch, openPage, Server } from "./harness.mjs";

const server = await new Server().start();
const browser = await launch();
const results = [];
const say = (what, value, unit, limit) => {
  results.push({ what, value, limit });
  console.log(`${what.padEnd(58)} ${String(Math.round(value * 10) / 10).padStart(8)} ${unit}${limit === undefined ? "" : `   (limit ${limit})`}${limit !== undefined && value > limit ? "  MISSED" : ""}`);
};

function graph(count, name) {
  const width = 20;
  const steps = Array.from({ length: count }, (_, n) => ({
    id: `s${n}`,
    name: `Step number ${n}`,
    step_type: n % 17 === 3 ? "delay" : ["noop", "set", "log"][n % 3],
    config: n % 17 === 3 ? { seconds: 0.01 } : [{ output: n }, { values: { n } }, { message: `line ${n}` }][n % 3],
    ...(n >= width ? { depends_on: [`s${n - width}`, ...(n % 5 === 0 ? [`s${n - width + 1 < n ? n - width + 1 : n - width}`] : [])] } : {}),
  }));
  const positions = Object.fromEntries(steps.map((step, n) => [step.id, [Math.floor(n / width) * 224, (n % width) * 80]]));
  return { name, steps, ui: { positions } };
}

/** Milliseconds of main-thread work while `body` runs, all together and for each frame. */
async function work(page, session, body) {
  const metrics = async () => Object.fromEntries((await session.send("Performance.getMetrics")).metrics.map((metric) => [metric.name, metric.value]));
  await page.evaluate(() => {
    window.__frames = 0;
    window.__longest = 0;
    const count = () => {
      window.__frames += 1;
      if (window.__counting) requestAnimationFrame(count);
    };
    window.__counting = true;
    requestAnimationFrame(count);
    window.__observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.__longest = Math.max(window.__longest, entry.duration);
    });
    window.__observer.observe({ entryTypes: ["longtask"] });
  });
  const before = await metrics();
  const started = Date.now();
  await body();
  const after = await metrics();
  const { frames, longest } = await page.evaluate(() => {
    window.__counting = false;
    window.__observer.disconnect();
    return { frames: window.__frames, longest: window.__longest };
  });
  const task = (after.TaskDuration - before.TaskDuration) * 1000;
  return { task, frames, perFrame: task / Math.max(1, frames), longest, elapsed: Date.now() - started };
}

async function pan(page, steps = 60) {
  await page.mouse.move(700, 450);
  for (let n = 0; n < steps; ++n) {
    await page.mouse.wheel(n % 40 < 20 ? 40 : -40, n % 30 < 15 ? 24 : -24);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  }
}

for (const count of [1000]) {
  const { id } = await server.create(graph(count, `${count} steps`));
  const { page, context, wrongs } = await openPage(browser, server, { reducedMotion: "no-preference" });
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.goto(`${server.url}/workflows`);
  await page.getByRole("link", { name: `${count} steps` }).waitFor();
  // The second opening: the page's own code is there already, as for somebody at work.
  await page.goto(`${server.url}/workflows/${id}`);
  await page.locator(".far, .react-flow__node").first().waitFor();
  await page.getByRole("link", { name: "Workflows" }).first().click();
  const link = page.getByRole("link", { name: `${count} steps` });
  await link.waitFor();
  const started = Date.now();
  await link.click();
  await page.locator(".far, .react-flow__node").first().waitFor();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  say(`${count} steps: open, click to drawn`, Date.now() - started, "ms", 800);

  const zoomTo = async (percent) => {
    await page.evaluate(() => document.activeElement?.blur?.());
    await page.locator("body").press("0");
    const flow = page.locator(".zoom-now");
    for (let tries = 0; tries < 40; ++tries) {
      const now = Number.parseInt(await flow.textContent(), 10);
      if (Math.abs(now - percent) <= percent * 0.15) break;
      await page.mouse.move(700, 450);
      await page.keyboard.down("Control");
      await page.mouse.wheel(0, now > percent ? 60 : -60);
      await page.keyboard.up("Control");
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    }
  };
  for (const percent of [100, 45, 20]) {
    await zoomTo(percent);
    const { perFrame, longest } = await work(page, session, () => pan(page));
    say(`${count} steps: pan at ${await page.locator(".zoom-now").textContent()}, main thread a frame`, perFrame, "ms", 8);
    say(`${count} steps: longest task while panning`, longest, "ms", 120);
  }
  const sweep = await work(page, session, async () => {
    await page.mouse.move(700, 450);
    await page.keyboard.down("Control");
    for (let n = 0; n < 60; ++n) {
      await page.mouse.wheel(0, n < 30 ? -30 : 30);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    }
    await page.keyboard.up("Control");
  });
  say(`${count} steps: zoom through the far limit, main thread a frame`, sweep.perFrame, "ms", 8);
  say(`${count} steps: longest task of the sweep`, sweep.longest, "ms", 120);

  // An edit of everything, undone.
  await page.locator("body").press("0");
  await page.locator("body").press("Control+a");
  await page.locator("body").press("d");
  const times = [];
  for (let n = 0; n < 6; ++n) {
    const keys = n % 2 === 0 ? "Control+z" : "Control+Shift+z";
    const { task } = await work(page, session, async () => {
      await page.locator("body").press(keys);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    });
    times.push(task);
  }
  times.sort((a, b) => a - b);
  say(`${count} steps: undo or redo of an edit of all steps, median`, times[2], "ms", 50);

  // Tidy: in the worker, the page goes on.
  await page.locator("body").press("Escape");
  await page.locator("body").press("1");
  const label = page.getByRole("button", { name: /^Undo: tidy up/ });
  const tidied = await work(page, session, async () => {
    await page.getByRole("button", { name: "Tidy up" }).click();
    await label.waitFor({ timeout: 60_000 });
  });
  say(`${count} steps: tidy up, until it is placed`, tidied.elapsed, "ms", 1500);
  say(`${count} steps: longest task while tidying`, tidied.longest, "ms", 50);

  // A live run: every status change arrives over the feed.
  await page.locator("body").press("Control+Enter");
  const live = await work(page, session, () => page.locator(".run-state .badge", { hasText: /completed|failed/ }).waitFor({ timeout: 60_000 }));
  say(`${count} steps: live run, longest task`, live.longest, "ms", 100);
  say(`${count} steps: live run, main thread share`, (live.task / live.elapsed) * 100, "%");
  if (wrongs.length > 0) console.log(wrongs.join("\n"));
  await context.close();
}

// What the first page costs over the wire.
{
  const { page, context } = await openPage(browser, server);
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  let [requests, scripts, editors] = [0, 0, 0];
  const types = new Map();
  session.on("Network.responseReceived", ({ requestId, type, response }) => {
    types.set(requestId, response.url.includes("code_mirror") ? "Editor" : type);
    if (process.env.FLOWPILOT_BENCH_URLS) console.log(response.url);
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    requests += 1;
    if (types.get(requestId) === "Script") scripts += encodedDataLength;
    if (types.get(requestId) === "Editor") editors += encodedDataLength;
  });
  await page.goto(server.url);
  await page.getByText("Needs attention").waitFor();
  await page.waitForLoadState("networkidle");
  say("home: JavaScript over the wire", scripts / 1024, "KB", 220);
  say("home: requests", requests, "", 12);
  const first = scripts;
  const small = await server.create(graph(5, "small"));
  await page.goto(`${server.url}/workflows/${small.id}`);
  await page.locator(".react-flow__node").first().waitFor();
  await page.waitForLoadState("networkidle");
  say("designer: JavaScript on top of that", (scripts - first) / 1024, "KB", 150);
  say("code editor", editors / 1024, "KB");
  await context.close();
}
await browser.close();
await server.stop();
if (process.argv.includes("limits") && results.some(({ value, limit }) => limit !== undefined && value > limit)) process.exit(1);

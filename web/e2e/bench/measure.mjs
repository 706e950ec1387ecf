// What is measured: main-thread milliseconds, which a busy machine disturbs less than frames do. Each figure beside its limit.
import { openPage } from "../harness.mjs";

export const results = [];

export function say(what, value, unit, limit) {
  results.push({ what, value, limit });
  const end = limit === undefined ? "" : `   (limit ${limit})${value > limit ? "  MISSED" : ""}`;
  console.log(`${what.padEnd(66)} ${String(Math.round(value * 10) / 10).padStart(8)} ${unit}${end}`);
}

/** A page whose main thread can be counted. */
export async function openMeasured(browser, server) {
  const opened = await openPage(browser, server, { reducedMotion: "no-preference" });
  const session = await opened.context.newCDPSession(opened.page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return { ...opened, session };
}

export const frame = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/**
 * What `body` costs, in milliseconds of processor time: of the main thread all together, for each frame, and in its longest task; of workers.
 * `elapsed` is by the clock, which other programs on the machine turn as well.
 */
export async function work({ page, session }, body) {
  const browser = page.context().browser();
  await page.evaluate(() => {
    [window.__frames, window.__counting] = [0, true];
    const count = () => {
      window.__frames += 1;
      if (window.__counting) requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    performance.mark("bench-begin");
  });
  await browser.startTracing(page, { categories: ["toplevel", "blink.user_timing", "__metadata"] });
  await page.evaluate(() => performance.mark("bench-here"));
  const started = performance.now();
  await body();
  const elapsed = performance.now() - started;
  const frames = await page.evaluate(() => {
    window.__counting = false;
    return window.__frames;
  }).catch(() => 1);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  void session;
  const mark = traceEvents.find((event) => event.name === "bench-here");
  const names = new Map(traceEvents.filter((event) => event.name === "thread_name").map((event) => [`${event.pid}/${event.tid}`, event.args.name]));
  // The page's own process, also after it went to another address.
  const tasks = traceEvents.filter((event) => event.tdur !== undefined && event.name.endsWith("RunTask") && event.pid === mark.pid);
  const main = tasks.filter((event) => names.get(`${event.pid}/${event.tid}`) === "CrRendererMain").map((event) => event.tdur / 1000);
  const workers = tasks.filter((event) => /DedicatedWorker/.test(names.get(`${event.pid}/${event.tid}`) ?? "")).map((event) => event.tdur / 1000);
  const sum = (list) => list.reduce((all, one) => all + one, 0);
  return { task: sum(main), frames, perFrame: sum(main) / Math.max(1, frames), longest: Math.max(0, ...main), workers: sum(workers), elapsed };
}

/** Time until something is there: processor time against the limit, the clock beside it. */
export function sayTime(what, { task, workers, elapsed }, limit) {
  say(what, task + workers, `ms (${Math.round(elapsed)} by the clock)`, limit);
}

/** Turns the wheel over a place, a frame a turn. */
export async function wheel(page, [x, y], turns) {
  await page.mouse.move(x, y);
  for (const [dx, dy] of turns) {
    await page.mouse.wheel(dx, dy);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  }
}

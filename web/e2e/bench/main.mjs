// How quick the page is with much in it, against the real server in a real Chromium.
// FLOWPILOT_BIN=build/release/flowpilot npm --prefix web run bench -- [limits] [load|steps|more|live|timeline|log|result ...]
// With "limits" the process fails when one is passed; names choose what is measured.
import { launch, Server } from "../harness.mjs";
import { measureLog, measureResult, measureTimeline } from "./data.mjs";
import { measureLoad } from "./load.mjs";
import { results } from "./measure.mjs";
import { measureLive, measureSteps } from "./steps.mjs";

const parts = {
  load: measureLoad,
  steps: (browser, server) => measureSteps(browser, server, 1000, { open: 800, frame: 8, undo: 50, tidy: 1500, tidyTask: 50 }),
  more: (browser, server) => measureSteps(browser, server, 3000, { frame: 12 }),
  live: measureLive,
  timeline: measureTimeline,
  log: measureLog,
  result: measureResult,
};
const chosen = process.argv.slice(2).filter((name) => name in parts);
const server = await new Server().start();
const browser = await launch();
for (const name of chosen.length > 0 ? chosen : Object.keys(parts)) await parts[name](browser, server);
await browser.close();
await server.stop();
if (process.argv.includes("limits") && results.some(({ value, limit }) => limit !== undefined && value > limit)) process.exit(1);

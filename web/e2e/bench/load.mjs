// What pages cost over the wire.
import { openPage } from "../harness.mjs";
import { say } from "./measure.mjs";
import { graph } from "./steps.mjs";

export async function measureLoad(browser, server) {
  const { page, context } = await openPage(browser, server);
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  let [requests, scripts, editors, styles] = [0, 0, 0, 0];
  const types = new Map();
  session.on("Network.requestWillBeSent", ({ requestId, request, redirectResponse }) => {
    if (!redirectResponse && process.env.FLOWPILOT_BENCH_URLS) console.log(requestId, request.url);
  });
  session.on("Network.responseReceived", ({ requestId, type, response }) => types.set(requestId, /code_mirror|\/dist-/.test(response.url) ? "Editor" : type));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    requests += 1;
    const type = types.get(requestId);
    if (type === "Script") scripts += encodedDataLength;
    if (type === "Editor") editors += encodedDataLength;
    if (type === "Stylesheet") styles += encodedDataLength;
  });
  await page.goto(server.url);
  await page.getByText("Needs attention").waitFor();
  await page.waitForLoadState("networkidle");
  say("home: JavaScript over the wire", scripts / 1024, "KB", 220);
  say("home: style sheets over the wire", styles / 1024, "KB", 20);
  say("home: requests", requests, "", 12);
  const first = scripts;
  const small = await server.create(graph(5, "small"));
  await page.goto(`${server.url}/workflows/${small.id}`);
  await page.locator(".react-flow__node").first().waitFor();
  await page.waitForLoadState("networkidle");
  say("designer: JavaScript on top of that", (scripts - first) / 1024, "KB", 150);
  say("code editor", editors / 1024, "KB", 115);
  await context.close();
}

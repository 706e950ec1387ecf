/** ELK's layered algorithm in a worker of our own: the graph is built here and only places go back, so the page has next to nothing to do. */
import type { ElkNode } from "elkjs/lib/elk-api";

import { graphFor, warmUp, type TidyRequest } from "./tidy_graph";

type Answer = { data: { id: number; data?: ElkNode; error?: { message?: string } } };
type Handler = (event: { data: unknown }) => void;

const scope = self as unknown as { onmessage: Handler | null; postMessage: (message: unknown, transfer?: Transferable[]) => void };
const send = scope.postMessage.bind(scope);
const pending = new Map<number, (answer: Answer["data"]) => void>();

/** ELK's own script takes over a worker: it sets `onmessage` and answers by `postMessage`. Both are ours again after it. */
const elk = (async (): Promise<Handler> => {
  await import("elkjs/lib/elk-worker.min.js");
  const handler = scope.onmessage!;
  scope.postMessage = (message) => {
    const answer = message as Answer["data"];
    pending.get(answer.id)?.(answer);
    pending.delete(answer.id);
  };
  scope.onmessage = receive;
  handler({ data: { id: 0, cmd: "register", algorithms: ["layered"] } });
  return handler;
})();

let asked = false;
void elk.then(async (handler) => {
  for (const graph of warmUp()) {
    if (asked) return; // the real thing warms as well
    await layout(handler, graph);
    await new Promise((done) => setTimeout(done)); // lets a request in
  }
});

let count = 0;
function layout(handler: Handler, graph: ElkNode): Promise<ElkNode> {
  const id = ++count;
  return new Promise((done, failed) => {
    pending.set(id, ({ data, error }) => (data ? done(data) : failed(new Error(error?.message ?? "layout"))));
    handler({ data: { id, cmd: "layout", graph, layoutOptions: {}, options: {} } });
  });
}

async function receive({ data }: { data: unknown }): Promise<void> {
  const request = data as TidyRequest & { call: number };
  asked = true;
  try {
    const graph = await layout(await elk, graphFor(request));
    const children = graph.children ?? [];
    const places = new Float64Array(children.length * 2);
    children.forEach((node, index) => {
      places[2 * index] = node.x ?? 0;
      places[2 * index + 1] = node.y ?? 0;
    });
    send({ call: request.call, places }, [places.buffer]);
  } catch (error) {
    send({ call: request.call, error: error instanceof Error ? error.message : String(error) });
  }
}
scope.onmessage = (event) => void receive(event);

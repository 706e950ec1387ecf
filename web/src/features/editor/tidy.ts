/** Tidy up by ELK's layered algorithm, in a worker that is loaded when first asked for, or ahead of that where the graph is large. */
import type { PortedType } from "../../graph/anatomy";
import type { Point, WorkflowDocument } from "../../graph/document";
import { placesOf, requestOf } from "./tidy_graph";

type Answer = { call: number; places?: Float64Array; error?: string };

let worker: Worker | undefined;
let calls = 0;
const waiting = new Map<number, (answer: Answer) => void>();

/** Starts the worker; it readies itself before it answers. Asking again does nothing. */
export function prepareTidy(): void {
  if (worker) return;
  worker = new Worker(new URL("./tidy_worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    waiting.get(data.call)?.(data);
    waiting.delete(data.call);
  };
  worker.onerror = (event) => {
    for (const [call, answer] of waiting) answer({ call, error: event.message });
    waiting.clear();
    worker = undefined;
  };
}

/** New positions for the steps (all, or those of `only`, which keep their place as a group). Branches keep the order of their ports. */
export async function tidy(document: WorkflowDocument, types: ReadonlyMap<string, PortedType>, positions: ReadonlyMap<string, Point>, only: ReadonlySet<string> | null): Promise<Map<string, Point>> {
  prepareTidy();
  const { request, ids } = requestOf(document, types, only);
  const call = ++calls;
  const answer = await new Promise<Answer>((done) => {
    waiting.set(call, done);
    worker!.postMessage({ call, ...request });
  });
  if (!answer.places) throw new Error(answer.error ?? "");
  return placesOf(ids, answer.places, positions);
}

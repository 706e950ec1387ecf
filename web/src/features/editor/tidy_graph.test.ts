import Elk from "elkjs/lib/elk.bundled.js";
import { expect, it } from "vitest";

import type { WorkflowDocument } from "../../graph/document";
import { graphFor, placesOf, requestOf } from "./tidy_graph";

const types = new Map([["switch", { ports: ["first", "second", "third"], dynamic_ports: false }]]);
const branches: WorkflowDocument = {
  name: "W",
  steps: [
    { id: "choose", step_type: "switch" },
    ...["third", "first", "second"].map((port) => ({ id: port, step_type: "noop", depends_on: [{ step: "choose", when: port }] })),
    { id: "end", step_type: "noop", depends_on: ["first", "second", "third"], join: "any" as const },
  ],
};

async function tidied(document: WorkflowDocument, only: ReadonlySet<string> | null = null, before = new Map<string, [number, number]>()) {
  const { request, ids } = requestOf(document, types, only);
  const graph = await new Elk().layout(graphFor(structuredClone(request)));
  return placesOf(ids, (graph.children ?? []).flatMap(({ x, y }) => [x ?? 0, y ?? 0]), before);
}

it("keeps branches in the order of their ports, each column right of what it needs, all on the grid", async () => {
  const places = await tidied(branches);
  const [x, y] = [(id: string) => places.get(id)![0], (id: string) => places.get(id)![1]];
  expect(y("first")).toBeLessThan(y("second"));
  expect(y("second")).toBeLessThan(y("third"));
  for (const [source, target] of [["trigger:", "choose"], ["choose", "first"], ["third", "end"]] as const) expect(x(target)).toBeGreaterThanOrEqual(x(source) + 112);
  for (const place of places.values()) expect(place.map((value) => Math.abs(value % 16))).toEqual([0, 0]);
});

it("leaves the top left corner where it was, and all that was not chosen", async () => {
  const before = new Map<string, [number, number]>([["first", [320, 160]], ["end", [640, 480]], ["choose", [0, 0]]]);
  const places = await tidied(branches, new Set(["first", "end"]), before);
  expect([...places.keys()]).toEqual(["first", "end"]);
  expect([Math.min(...[...places.values()].map(([x]) => x)), Math.min(...[...places.values()].map(([, y]) => y))]).toEqual([320, 160]);
});

it("takes the quick ways where there are many steps, the pretty ones elsewhere", () => {
  const ways = (count: number) => graphFor({ ports: Array.from({ length: count }, () => []), triggers: 0, edges: [] }).layoutOptions!["elk.layered.nodePlacement.strategy"];
  expect([ways(10), ways(1000)]).toEqual(["NETWORK_SIMPLEX", "BRANDES_KOEPF"]);
});

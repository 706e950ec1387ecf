/** What Tidy up sends to its worker, and the graph ELK makes of it. Steps and triggers travel by number: small to send, quick to read. */
import type { ElkNode } from "elkjs/lib/elk-api";

import { columnPitch, portY, rowPitch, shownPorts, stepHeight, stepSize, stepWidth, triggerWidth, wiredPorts, type PortedType } from "../../graph/anatomy";
import { edgesOf, type Point, type WorkflowDocument } from "../../graph/document";
import { snap } from "../../graph/edits";

export type TidyRequest = {
  ports: string[][]; // of each step
  triggers: number; // they come after the steps
  edges: [source: number, port: string, target: number][];
};

/** The steps to tidy (all, or those of `only`) with what starts them; `ids` names what the answer counts. */
export function requestOf(document: WorkflowDocument, types: ReadonlyMap<string, PortedType>, only: ReadonlySet<string> | null): { request: TidyRequest; ids: string[] } {
  const wired = wiredPorts(document);
  const steps = document.steps.filter((step) => only === null || only.has(step.id));
  const declared = (document.triggers ?? []).map((trigger) => `trigger:${trigger.id}`);
  const starts = only !== null ? [] : declared.length > 0 ? declared : ["trigger:"];
  const numbers = new Map(steps.map((step, index) => [step.id, index]));
  const edges: TidyRequest["edges"] = [];
  for (const { source, port, target } of edgesOf(document)) {
    const [from, to] = [numbers.get(source), numbers.get(target)];
    if (from !== undefined && to !== undefined) edges.push([from, port ?? "", to]);
  }
  starts.forEach((_id, start) => {
    steps.forEach((step, index) => {
      if ((step.depends_on ?? []).length === 0) edges.push([steps.length + start, "", index]);
    });
  });
  return {
    request: { ports: steps.map((step) => shownPorts(step, types.get(step.step_type), wired.get(step.id))), triggers: starts.length, edges },
    ids: [...steps.map((step) => step.id), ...starts],
  };
}

/** Steps beyond which the cheaper of ELK's ways are taken: what they give differs little in a graph of that size. */
const many = 300;

export function graphFor({ ports, triggers, edges }: TidyRequest): ElkNode {
  const large = ports.length > many;
  const port = (id: string, x: number, y: number, side: "WEST" | "EAST") => ({ id, x, y, width: 0, height: 0, layoutOptions: { "elk.port.side": side } });
  const children: ElkNode[] = ports.map((names, index) => ({
    id: String(index),
    ...stepSize(names.length),
    layoutOptions: { "elk.portConstraints": "FIXED_POS" },
    ports: [port(`${index}<`, 0, stepHeight / 2, "WEST"), port(`${index}/`, stepWidth, portY(-1), "EAST"), ...names.map((name, row) => port(`${index}/${name}`, stepWidth, portY(row), "EAST"))],
  }));
  for (let index = ports.length; index < ports.length + triggers; ++index)
    children.push({
      id: String(index),
      width: triggerWidth,
      height: stepHeight,
      layoutOptions: { "elk.portConstraints": "FIXED_POS", "elk.layered.layering.layerConstraint": "FIRST" },
      ports: [port(`${index}/`, triggerWidth, portY(-1), "EAST")],
    });
  return {
    id: "root",
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": "RIGHT",
      "elk.edgeRouting": large ? "POLYLINE" : "ORTHOGONAL", // wires are drawn by the page; only the room between columns depends on it
      "elk.layered.spacing.nodeNodeBetweenLayers": String(columnPitch - stepWidth),
      "elk.spacing.nodeNode": String(rowPitch - stepHeight),
      "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
      "elk.layered.crossingMinimization.forceNodeModelOrder": "false",
      "elk.layered.nodePlacement.strategy": large ? "BRANDES_KOEPF" : "NETWORK_SIMPLEX", // the second is prettier, and slow
      "elk.layered.thoroughness": large ? "1" : "7",
      ...(large ? { "elk.layered.layering.strategy": "LONGEST_PATH_SOURCE", "elk.layered.crossingMinimization.greedySwitch.type": "OFF" } : {}),
      "elk.separateConnectedComponents": "true",
    },
    children,
    edges: edges.map(([source, name, target], index) => ({ id: `e${index}`, sources: [`${source}/${name}`], targets: [`${target}<`] })),
  };
}

/** Graphs laid out before the first one that counts: code that has run is compiled, and quick. */
export function warmUp(): ElkNode[] {
  const [width, count] = [12, 360];
  const edges = Array.from({ length: count - width }, (_, index): [number, string, number] => [index, "", index + width]);
  for (let index = 0; index < count - width - 1; index += 5) edges.push([index + 1, "", index + width]);
  const request: TidyRequest = { ports: Array.from({ length: count }, () => []), triggers: 1, edges: [...edges, ...Array.from({ length: width }, (_, index): [number, string, number] => [count, "", index])] };
  return [graphFor(request), graphFor(request), graphFor(request)];
}

/** Places on the grid, the whole moved so that its top left corner stays where it was: tidying does not throw the person elsewhere. */
export function placesOf(ids: readonly string[], places: ArrayLike<number>, before: ReadonlyMap<string, Point>): Map<string, Point> {
  const placed = new Map(ids.map((id, index): [string, Point] => [id, [snap(places[2 * index] ?? 0), snap(places[2 * index + 1] ?? 0)]]));
  const corner = (points: Iterable<Point>): Point => {
    let [left, top] = [Infinity, Infinity];
    for (const [x, y] of points) [left, top] = [Math.min(left, x), Math.min(top, y)];
    return [left, top];
  };
  const old = corner([...placed.keys()].flatMap((id) => (before.has(id) ? [before.get(id)!] : [])));
  const now = corner(placed.values());
  if (!Number.isFinite(old[0]) || !Number.isFinite(now[0])) return placed;
  const [dx, dy] = [snap(old[0] - now[0]), snap(old[1] - now[1])];
  return new Map([...placed].map(([id, [x, y]]) => [id, [x + dx, y + dy]]));
}

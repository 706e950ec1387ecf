/** Tidy up by ELK's layered algorithm, in a worker that is loaded when first asked for. */
import type { ELK, ElkNode } from "elkjs/lib/elk-api";

import { columnPitch, portY, rowPitch, shownPorts, stepHeight, stepSize, stepWidth, triggerWidth, wiredPorts, type PortedType } from "../../graph/anatomy";
import { edgeId, edgesOf, type Point, type WorkflowDocument } from "../../graph/document";
import { snap } from "../../graph/edits";

let engine: Promise<ELK> | undefined;

function load(): Promise<ELK> {
  engine ??= Promise.all([import("elkjs/lib/elk-api"), import("elkjs/lib/elk-worker.min.js?worker")]).then(
    ([{ default: Elk }, { default: Worker }]) => new Elk({ workerFactory: () => new Worker() }),
  );
  return engine;
}

/** New positions for the steps (all, or those of `only`, which keep their place as a group). Branches keep the order of their ports. */
export async function tidy(document: WorkflowDocument, types: ReadonlyMap<string, PortedType>, positions: ReadonlyMap<string, Point>, only: ReadonlySet<string> | null): Promise<Map<string, Point>> {
  const wired = wiredPorts(document);
  const steps = document.steps.filter((step) => only === null || only.has(step.id));
  const included = new Set(steps.map((step) => step.id));
  const triggers = only === null ? (document.triggers ?? []).map((trigger) => `trigger:${trigger.id}`) : [];
  const startIds = triggers.length > 0 ? triggers : only === null ? ["trigger:"] : [];
  const children: ElkNode[] = steps.map((step) => {
    const ports = shownPorts(step, types.get(step.step_type), wired.get(step.id));
    const size = stepSize(ports.length);
    return {
      id: step.id,
      ...size,
      layoutOptions: { "elk.portConstraints": "FIXED_POS" },
      ports: [
        { id: `${step.id}/in`, x: 0, y: stepHeight / 2, width: 0, height: 0, layoutOptions: { "elk.port.side": "WEST" } },
        { id: `${step.id}/`, x: stepWidth, y: portY(-1), width: 0, height: 0, layoutOptions: { "elk.port.side": "EAST" } },
        ...ports.map((port, index) => ({ id: `${step.id}/${port}`, x: stepWidth, y: portY(index), width: 0, height: 0, layoutOptions: { "elk.port.side": "EAST" } })),
      ],
    };
  });
  for (const id of startIds)
    children.push({
      id, width: triggerWidth, height: stepHeight,
      layoutOptions: { "elk.portConstraints": "FIXED_POS", "elk.layered.layering.layerConstraint": "FIRST" },
      ports: [{ id: `${id}/`, x: triggerWidth, y: 24, width: 0, height: 0, layoutOptions: { "elk.port.side": "EAST" } }],
    });
  const edges = edgesOf(document)
    .filter(({ source, target }) => included.has(source) && included.has(target))
    .map((edge) => ({ id: edgeId(edge), sources: [`${edge.source}/${edge.port ?? ""}`], targets: [`${edge.target}/in`] }));
  for (const id of startIds)
    for (const step of steps) if ((step.depends_on ?? []).length === 0) edges.push({ id: `${id}>${step.id}`, sources: [`${id}/`], targets: [`${step.id}/in`] });
  const graph = await (await load()).layout({
    id: "root",
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": "RIGHT",
      "elk.edgeRouting": "ORTHOGONAL",
      "elk.layered.spacing.nodeNodeBetweenLayers": String(columnPitch - stepWidth),
      "elk.spacing.nodeNode": String(rowPitch - stepHeight),
      "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
      "elk.layered.crossingMinimization.forceNodeModelOrder": "false",
      "elk.layered.nodePlacement.strategy": steps.length > 300 ? "BRANDES_KOEPF" : "NETWORK_SIMPLEX", // the second is prettier, and slow
      "elk.layered.thoroughness": steps.length > 300 ? "1" : "7",
      "elk.separateConnectedComponents": "true",
    },
    children,
    edges,
  });
  const placed = new Map<string, Point>((graph.children ?? []).map((node) => [node.id, [snap(node.x ?? 0), snap(node.y ?? 0)]]));
  return keepCorner(placed, positions);
}

/** Moves the whole result so that its top left corner stays where it was: tidying does not throw the person elsewhere. */
function keepCorner(placed: Map<string, Point>, before: ReadonlyMap<string, Point>): Map<string, Point> {
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

/** Moving about the graph by keyboard: left is upstream, right is downstream, up and down are neighbours of the same column. */
import type { Point, WorkflowDocument } from "./document";
import { edgesOf } from "./document";

export type Direction = "left" | "right" | "up" | "down";

/** The step to go to, or null when there is none in that direction. Follows wires first, then what lies there. */
export function neighbour(document: WorkflowDocument, positions: ReadonlyMap<string, Point>, from: string, direction: Direction): string | null {
  const here = positions.get(from);
  if (!here) return null;
  if (direction === "left" || direction === "right") {
    const edges = edgesOf(document);
    const wired = edges.flatMap((edge) => (direction === "right" && edge.source === from ? [edge.target] : direction === "left" && edge.target === from ? [edge.source] : []));
    const nearest = closest(wired, positions, here);
    if (nearest) return nearest;
  }
  const candidates = [...positions.keys()].filter((id) => {
    const [x, y] = positions.get(id)!;
    const [dx, dy] = [x - here[0], y - here[1]];
    if (id === from) return false;
    if (direction === "left") return dx < -8 && Math.abs(dy) <= Math.abs(dx);
    if (direction === "right") return dx > 8 && Math.abs(dy) <= Math.abs(dx);
    if (direction === "up") return dy < -8 && Math.abs(dx) <= Math.abs(dy) * 2;
    return dy > 8 && Math.abs(dx) <= Math.abs(dy) * 2;
  });
  return closest(candidates, positions, here);
}

function closest(ids: readonly string[], positions: ReadonlyMap<string, Point>, here: Point): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const id of ids) {
    const at = positions.get(id);
    if (!at) continue;
    const distance = (at[0] - here[0]) ** 2 + (at[1] - here[1]) ** 2;
    if (distance < least) [best, least] = [id, distance];
  }
  return best;
}

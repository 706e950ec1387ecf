/** A quick layered layout for steps that have no position yet, and what aligns and distributes selected ones. Tidy up is ELK's, in a worker. */
import { columnPitch, grid, rowPitch, triggerWidth } from "./anatomy";
import type { Point, WorkflowDocument } from "./document";
import { sourceOf } from "./document";

/** Column of each step: the longest way from a step that needs nothing (Kahn's algorithm; steps of a cycle go to the last column). */
export function columnsOf(document: WorkflowDocument): Map<string, number> {
  const known = new Set(document.steps.map((step) => step.id));
  const waiting = new Map<string, number>();
  const next = new Map<string, string[]>();
  for (const step of document.steps) {
    const sources = (step.depends_on ?? []).map(sourceOf).filter((id) => known.has(id));
    waiting.set(step.id, sources.length);
    for (const source of sources) next.set(source, [...(next.get(source) ?? []), step.id]);
  }
  const columns = new Map<string, number>();
  const ready = document.steps.filter((step) => waiting.get(step.id) === 0).map((step) => step.id);
  for (const id of ready) columns.set(id, columns.get(id) ?? 0);
  for (let head = 0; head < ready.length; ++head) {
    const id = ready[head]!;
    for (const target of next.get(id) ?? []) {
      columns.set(target, Math.max(columns.get(target) ?? 0, columns.get(id)! + 1));
      const left = waiting.get(target)! - 1;
      waiting.set(target, left);
      if (left === 0) ready.push(target);
    }
  }
  const last = Math.max(0, ...columns.values());
  for (const step of document.steps) if (!columns.has(step.id)) columns.set(step.id, last + 1);
  return columns;
}

/** A position for everything on the canvas: the document's own where it has one, a computed one elsewhere. Triggers are `trigger:ID`. */
export function positionsOf(document: WorkflowDocument): Map<string, Point> {
  const stored = document.ui?.positions ?? {};
  const positions = new Map<string, Point>();
  const rows = new Map<number, number>();
  const columns = columnsOf(document);
  const rowOf = new Map<string, number>();
  for (const step of document.steps) {
    const given = stored[step.id];
    if (given) {
      positions.set(step.id, [given[0], given[1]]);
      continue;
    }
    const column = columns.get(step.id)!;
    const beside = (step.depends_on ?? []).map((entry) => rowOf.get(sourceOf(entry))).filter((row) => row !== undefined);
    const row = Math.max(rows.get(column) ?? 0, beside.length > 0 ? Math.min(...beside) : 0);
    rows.set(column, row + 1);
    rowOf.set(step.id, row);
    positions.set(step.id, [column * columnPitch, row * rowPitch]);
  }
  const first = document.steps.filter((step) => (step.depends_on ?? []).length === 0).map((step) => positions.get(step.id)!);
  const left = first.length > 0 ? Math.min(...first.map(([x]) => x)) : 0;
  const top = first.length > 0 ? Math.min(...first.map(([, y]) => y)) : 0;
  const ids = (document.triggers?.length ?? 0) > 0 ? document.triggers!.map((trigger) => `trigger:${trigger.id}`) : ["trigger:"];
  ids.forEach((id, index) => {
    const given = stored[id];
    positions.set(id, given ? [given[0], given[1]] : [left - triggerWidth - 3 * grid, top + index * 4 * grid]);
  });
  return positions;
}

export type Box = { id: string; x: number; y: number; width: number; height: number };
export type Alignment = "left" | "right" | "top" | "bottom" | "centre" | "middle" | "horizontal" | "vertical";

export function align(boxes: readonly Box[], how: Alignment): Map<string, Point> {
  const left = Math.min(...boxes.map((box) => box.x));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const top = Math.min(...boxes.map((box) => box.y));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  if (how === "horizontal" || how === "vertical") return distribute(boxes, how);
  const place = (box: Box): Point => {
    if (how === "left") return [left, box.y];
    if (how === "right") return [right - box.width, box.y];
    if (how === "top") return [box.x, top];
    if (how === "bottom") return [box.x, bottom - box.height];
    if (how === "centre") return [(left + right - box.width) / 2, box.y];
    return [box.x, (top + bottom - box.height) / 2];
  };
  return new Map(boxes.map((box) => [box.id, place(box)]));
}

function distribute(boxes: readonly Box[], how: "horizontal" | "vertical"): Map<string, Point> {
  const [start, size] = how === "horizontal" ? (["x", "width"] as const) : (["y", "height"] as const);
  const sorted = [...boxes].sort((a, b) => a[start] - b[start]);
  const first = sorted[0]!;
  const last = sorted.at(-1)!;
  const used = sorted.reduce((sum, box) => sum + box[size], 0);
  const gap = (last[start] + last[size] - first[start] - used) / Math.max(1, sorted.length - 1);
  let at = first[start];
  const placed = new Map<string, Point>();
  for (const box of sorted) {
    placed.set(box.id, how === "horizontal" ? [Math.round(at), box.y] : [box.x, Math.round(at)]);
    at += box[size] + gap;
  }
  return placed;
}

/**
 * React Flow's nodes and edges, derived from the document. Each node keeps its object while nothing it shows has changed, so an edit or a
 * status change draws one step anew and not a thousand. Sizes and handles are in the data: nothing is measured after mounting.
 */
import { Position, type Edge as FlowEdge, type Node as FlowNode, type NodeHandle } from "@xyflow/react";

import type { TaskType } from "../../api/client";
import { hasPlainOutput, portY, shownPorts, stepHeight, stepSize, stepWidth, triggerWidth, wiredPorts } from "../../graph/anatomy";
import { edgeId, edgesInto, portOf, sourceOf, type Note, type Point, type Step, type Trigger, type WorkflowDocument } from "../../graph/document";
import { t } from "../../text";
import type { StepProgress } from "./progress";

export type Mark = "added" | "changed" | "removed" | null;
export type StepData = {
  kind: "step";
  step: Step;
  type: TaskType | undefined;
  ports: string[];
  plain: boolean;
  problems: number;
  mark: Mark;
  pinned: boolean;
  progress: StepProgress | null;
  plan: number | "reuse" | "skip" | null;
  heat: number | null; // 0 to 1: how long it took beside the longest
  readOnly: boolean;
};
export type TriggerData = { kind: "trigger"; trigger: Trigger | null; progress: boolean; state: string | null };
export type NoteData = { kind: "note"; note: Note; readOnly: boolean };
export type CanvasNode = FlowNode<StepData, "step"> | FlowNode<TriggerData, "trigger"> | FlowNode<NoteData, "note">;
export type EdgeData = { source: string; port: string | null; state: "rest" | "taken" | "dead" | "active" | "plan" | "off"; count: number | null; label: string | null; readOnly: boolean };
export type CanvasEdge = FlowEdge<EdgeData, "wire">;

export type View = {
  document: WorkflowDocument;
  positions: ReadonlyMap<string, Point>;
  moved: ReadonlyMap<string, Point> | null; // while dragging
  types: ReadonlyMap<string, TaskType>;
  selection: ReadonlySet<string>;
  problems: ReadonlyMap<string, number>;
  marks: ReadonlyMap<string, Mark>;
  progress: ReadonlyMap<string, StepProgress> | null;
  plan: ReadonlyMap<string, number | "reuse" | "skip"> | null;
  heat?: ReadonlyMap<string, number> | null;
  readOnly: boolean;
  triggerStates?: ReadonlyMap<string, string>; // what keeps one from firing, by its id
};

const inputHandle: NodeHandle = { id: "in", type: "target", position: Position.Left, x: -8, y: 0, width: 16, height: stepHeight };

function outputHandles(width: number, ports: readonly string[], plain: boolean): NodeHandle[] {
  const out: NodeHandle[] = [];
  if (plain) out.push({ id: "out", type: "source", position: Position.Right, x: width - 11, y: portY(-1) - 11, width: 22, height: 22 });
  ports.forEach((port, index) => out.push({ id: `port:${port}`, type: "source", position: Position.Right, x: width - 11, y: portY(index) - 8, width: 22, height: 16 }));
  return out;
}

type Cached = { key: unknown[]; node: CanvasNode };

export class NodeFactory {
  private nodes = new Map<string, Cached>();
  private edges = new Map<string, { key: unknown[]; edge: CanvasEdge }>();

  /** The very same node object while every part of `key` is the same. */
  private keep(seen: Map<string, Cached>, id: string, key: unknown[], make: () => CanvasNode): CanvasNode {
    const old = this.nodes.get(id);
    const entry = old && old.key.length === key.length && old.key.every((part, index) => Object.is(part, key[index])) ? old : { key, node: make() };
    seen.set(id, entry);
    return entry.node;
  }

  makeNodes(view: View): CanvasNode[] {
    const seen = new Map<string, Cached>();
    const wired = wiredPorts(view.document);
    const result: CanvasNode[] = [];
    const at = (id: string): Point => view.moved?.get(id) ?? view.positions.get(id) ?? [0, 0];
    for (const note of view.document.ui?.notes ?? []) {
      const id = `note:${note.id}`;
      const [x, y] = view.moved?.get(id) ?? [note.x, note.y];
      const selected = view.selection.has(id);
      result.push(
        this.keep(seen, id, [note, x, y, selected, view.readOnly], () => ({
          id, type: "note", position: { x, y }, width: note.width, height: note.height, zIndex: -1, selected, draggable: !view.readOnly,
          data: { kind: "note", note, readOnly: view.readOnly }, handles: [], ariaLabel: note.text.slice(0, 80),
        })),
      );
    }
    const triggers: (Trigger | null)[] = view.document.triggers?.length ? view.document.triggers : [null];
    for (const trigger of triggers) {
      const id = `trigger:${trigger?.id ?? ""}`;
      const [x, y] = at(id);
      const selected = view.selection.has(id);
      const ran = view.progress !== null;
      const state = view.triggerStates?.get(trigger?.id ?? "") ?? null;
      result.push(
        this.keep(seen, id, [trigger, x, y, selected, ran, state], () => ({
          id, type: "trigger", position: { x, y }, width: triggerWidth, height: stepHeight, selected, ariaLabel: trigger ? [trigger.id, trigger.trigger_type, state].filter(Boolean).join(", ") : t.app_trigger.start, deletable: trigger !== null,
          data: { kind: "trigger", trigger, progress: ran, state },
          handles: [{ id: "out", type: "source", position: Position.Right, x: triggerWidth - 11, y: 13, width: 22, height: 22 }],
        })),
      );
    }
    for (const step of view.document.steps) {
      const type = view.types.get(step.step_type);
      const ports = shownPorts(step, type, wired.get(step.id));
      const portKey = ports.join("\n");
      const [x, y] = at(step.id);
      const selected = view.selection.has(step.id);
      const problems = view.problems.get(step.id) ?? 0;
      const mark = view.marks.get(step.id) ?? null;
      const pinned = view.document.ui?.pins !== undefined && step.id in view.document.ui.pins;
      const progress = view.progress ? (view.progress.get(step.id) ?? waiting) : null;
      const plan = view.plan?.get(step.id) ?? null;
      const heat = view.heat?.get(step.id) ?? null;
      result.push(
        this.keep(seen, step.id, [step, type, portKey, x, y, selected, problems, mark, pinned, progress, plan, heat, view.readOnly], () => {
          const plain = hasPlainOutput(step, type);
          const { width, height } = stepSize(ports.length);
          return {
            id: step.id, type: "step", position: { x, y }, width, height, selected, ariaLabel: describeStep(step, type, progress, problems),
            data: { kind: "step", step, type, ports, plain, problems, mark, pinned, progress, plan, heat, readOnly: view.readOnly },
            handles: [inputHandle, ...outputHandles(width, ports, plain)],
          };
        }),
      );
    }
    this.nodes = seen;
    return result;
  }

  makeEdges(view: View, selected: ReadonlySet<string>): CanvasEdge[] {
    const seen = new Map<string, { key: unknown[]; edge: CanvasEdge }>();
    const result: CanvasEdge[] = [];
    const known = new Map(view.document.steps.map((step) => [step.id, step]));
    const push = (id: string, source: string, handle: string, target: string, data: EdgeData): void => {
      const isSelected = selected.has(id);
      const key = [source, handle, target, isSelected, data.state, data.count, data.label, data.readOnly];
      const old = this.edges.get(id);
      const entry =
        old && old.key.every((part, index) => Object.is(part, key[index]))
          ? old
          : {
              key,
              edge: {
                id, source, sourceHandle: handle, target, targetHandle: "in", type: "wire" as const, data, selected: isSelected, interactionWidth: 16, focusable: !data.readOnly,
                className: edgeClass(data), deletable: !source.startsWith("trigger:"), selectable: !source.startsWith("trigger:") && !data.readOnly,
              },
            };
      seen.set(id, entry);
      result.push(entry.edge);
    };
    const triggers = view.document.triggers?.length ? view.document.triggers : [null];
    for (const step of view.document.steps) {
      const edges = edgesInto(step).filter((edge) => known.has(edge.source));
      if ((step.depends_on ?? []).length === 0) {
        for (const trigger of triggers) {
          const source = `trigger:${trigger?.id ?? ""}`;
          const state = view.progress ? edgeState(view, step.id, "completed") : trigger?.enabled === false ? "off" : "rest";
          push(`${source}>${step.id}`, source, "out", step.id, { source, port: null, state, count: null, label: null, readOnly: true });
        }
      }
      for (const edge of edges) {
        const source = known.get(edge.source)!;
        const type = view.types.get(source.step_type);
        const handle = edge.port === null ? (hasPlainOutput(source, type) ? "out" : `port:${shownPorts(source, type, undefined)[0] ?? ""}`) : `port:${edge.port}`;
        const before = view.progress?.get(edge.source);
        const state: EdgeData["state"] = view.progress ? edgeState(view, step.id, before?.status, edge.port, before) : view.plan && typeof view.plan.get(step.id) === "number" ? "plan" : "rest";
        const count = state === "taken" && before?.items ? before.items.all : null;
        push(edgeId(edge), edge.source, handle, step.id, { source: edge.source, port: edge.port, state, count, label: null, readOnly: view.readOnly });
      }
    }
    this.edges = seen;
    return result;
  }
}

/** What a screen reader says of a step: name, type, what it follows, how it stands. */
function describeStep(step: Step, type: TaskType | undefined, progress: StepProgress | null, problems: number): string {
  const after = (step.depends_on ?? []).map((entry) => `${sourceOf(entry)}${portOf(entry) ? ` ${portOf(entry)}` : ""}`);
  return [
    step.name ?? step.id,
    type?.title ?? step.step_type,
    after.length > 0 ? t.node.upstream(after.join(", ")) : "",
    step.disabled ? t.node.disabled : "",
    problems > 0 ? t.node.problems(problems) : "",
    progress ? t.status[progress.status] : "",
  ]
    .filter(Boolean)
    .join(", ");
}

const waiting: StepProgress = { status: "pending", attempts: 0, startedAt: null, endedAt: null, nextAttemptAt: null, error: null, items: null };

/** Taken, dead or active, as far as the two ends tell; a plan wins over what was. */
function edgeState(view: View, target: string, source: string | undefined, port: string | null = null, before?: StepProgress): EdgeData["state"] {
  if (view.plan && typeof view.plan.get(target) === "number") return "plan";
  const after = view.progress?.get(target)?.status;
  if (source === "failed") return port === "error" && after !== "skipped" ? "taken" : port === "error" || after === undefined || after === "pending" || after === "skipped" ? "dead" : "taken";
  if (source === "skipped" || source === "cancelled") return "dead";
  if (source !== "completed") return "rest";
  if (port === "error" && before?.error == null) return "dead";
  if (after === "skipped") return "dead";
  if (after === "running" || after === "queued" || after === "retrying" || after === "waiting") return "active";
  return after === "completed" || after === "failed" ? "taken" : "rest";
}

function edgeClass(data: EdgeData): string {
  const classes = [data.state === "rest" ? "" : `e-${data.state}`, data.port === "error" ? "e-error" : ""];
  return classes.filter(Boolean).join(" ");
}

export function boundsOf(nodes: readonly CanvasNode[]): { x: number; y: number; width: number; height: number } {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { position, width = stepWidth, height = stepHeight } of nodes) {
    left = Math.min(left, position.x);
    top = Math.min(top, position.y);
    right = Math.max(right, position.x + width);
    bottom = Math.max(bottom, position.y + height);
  }
  return Number.isFinite(left) ? { x: left, y: top, width: right - left, height: bottom - top } : { x: 0, y: 0, width: 0, height: 0 };
}

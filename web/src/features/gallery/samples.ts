/** What the gallery shows: a step in every state, edges in theirs, and data for the parts that need some. */
import type { JournalEvent, LogLine, Task, TaskType } from "../../api/client";
import type { JsonObject, Point, Step, WorkflowDocument } from "../../graph/document";
import type { AnyStatus } from "../../ui/status";
import { NodeFactory, type CanvasEdge, type CanvasNode, type Mark, type View } from "../canvas/derive";
import type { StepProgress } from "../canvas/progress";
import type { LogLines } from "../executions/log_lines";

export const statuses: AnyStatus[] = ["pending", "queued", "running", "retrying", "waiting", "paused", "completed", "failed", "skipped", "cancelled"];

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 5, 9, 41) + seconds * 1000).toISOString();
const progress = (status: AnyStatus, more: Partial<StepProgress> = {}): StepProgress => ({ status, attempts: 1, startedAt: at(0), endedAt: status === "running" ? null : at(2), nextAttemptAt: status === "retrying" ? at(60) : null, error: status === "failed" ? "The server answered 503" : null, items: null, ...more });

const columns = 4;
const spot = (index: number): Point => [(index % columns) * 240, Math.floor(index / columns) * 128];
const types = new Map([{ type: "conditional", title: "Condition", ports: ["true", "false"] }, { type: "http_request", title: "HTTP request", ports: [] }].map((type) => [type.type, { dynamic_ports: false, ...type } as unknown as TaskType]));

export type Drawing = { nodes: CanvasNode[]; edges: CanvasEdge[] };

function draw(document: WorkflowDocument, more: Partial<View>): Drawing {
  const positions = new Map<string, Point>([...document.steps.map((step, index): [string, Point] => [step.id, document.ui?.positions?.[step.id] ?? spot(index)]), ["trigger:", [-176, 0]]]);
  const view: View = { document, positions, moved: null, types, selection: new Set(), problems: new Map(), marks: new Map(), progress: null, plan: null, readOnly: true, ...more };
  const factory = new NodeFactory();
  return { nodes: factory.makeNodes(view).filter(({ id }) => id !== "trigger:" || document.steps.some((step) => (step.depends_on ?? []).length > 0)), edges: factory.makeEdges(view, more.selection ?? new Set()) };
}

/** A step as the designer shows it: plain, chosen, with everything that can stand on it. */
export function editorNodes(): Drawing {
  const steps: Step[] = [
    { id: "plain", name: "Plain", step_type: "http_request", config: { method: "POST", url: "https://example.org/contacts" } },
    { id: "selected", name: "Selected", step_type: "set" },
    { id: "long", name: "A name much too long for the width of a step", step_type: "send_email", config: { to: "somebody.with.a.long.address@example.org" } },
    { id: "problem", name: "With a problem", step_type: "http_request" },
    { id: "changed", name: "Changed", step_type: "log" },
    { id: "added", name: "Added", step_type: "log" },
    { id: "removed", name: "Removed", step_type: "log" },
    { id: "disabled", name: "Disabled", step_type: "delay", disabled: true },
    { id: "pinned", name: "Pinned", step_type: "http_request" },
    { id: "retries", name: "Tries five times", step_type: "http_request", retry_config: { max_attempts: 5 } },
    { id: "each", name: "For each", step_type: "noop", for_each: "{{ input.rows }}" },
    { id: "ports", name: "Condition", step_type: "conditional", config: { condition: "{{ input.n > 80 }}" } },
    { id: "run", name: "Would run", step_type: "noop" },
    { id: "reuse", name: "Reused", step_type: "noop" },
    { id: "join", name: "Needs all", step_type: "merge", join: "all" },
    { id: "unknown", name: "No worker offers it", step_type: "orders.charge" },
  ];
  const document: WorkflowDocument = { name: "", steps, ui: { pins: { pinned: 1 }, notes: [{ id: "n", text: "**A note** with _markdown_", x: 0, y: 528, width: 240, height: 80 }] } };
  const marks = new Map<string, Mark>([["changed", "changed"], ["added", "added"], ["removed", "removed"]]);
  return draw(document, { selection: new Set(["selected"]), problems: new Map([["problem", 2]]), marks, plan: new Map<string, number | "reuse">([["run", 1], ["reuse", "reuse"]]) });
}

/** A step in every status of an execution, with items, attempts and heat. */
export function runNodes(): Drawing {
  const states: [string, StepProgress][] = [
    ...statuses.map((status): [string, StepProgress] => [status, progress(status)]),
    ["tries", progress("retrying", { attempts: 3 })],
    ["used_up", progress("failed", { attempts: 5 })],
    ["items", progress("running", { items: { done: 5, failed: 1, all: 8 } })],
    ["many", progress("completed", { items: { done: 1240, failed: 0, all: 1240 } })],
    ["cool", progress("completed", { endedAt: at(0.02) })],
    ["hot", progress("completed", { endedAt: at(90) })],
  ];
  const steps = states.map(([id]): Step => ({ id, name: id, step_type: "http_request", ...(id === "used_up" || id === "tries" ? { retry_config: { max_attempts: 5 } } : {}), ...(id === "items" || id === "many" ? { for_each: "{{ input.rows }}" } : {}) }));
  return draw({ name: "", steps }, { progress: new Map(states), heat: new Map([["cool", 0.1], ["hot", 1]]) });
}

/** Edges in every state, each between two steps of its own. */
export function edges(): Drawing {
  const states: [string, Partial<View> | null, string | null][] = [["rest", null, null], ["error", null, "error"], ["taken", null, null], ["dead", null, null], ["active", null, null]];
  const all: Drawing = { nodes: [], edges: [] };
  states.forEach(([state, , port], row) => {
    const steps: Step[] = [{ id: `${state}_a`, name: state, step_type: "http_request" }, { id: `${state}_b`, name: "after", step_type: "http_request", depends_on: [port ? { step: `${state}_a`, when: port } : `${state}_a`] }];
    const ends: { [name: string]: [AnyStatus, AnyStatus] } = { taken: ["completed", "completed"], dead: ["completed", "skipped"], active: ["completed", "running"] };
    const [before, after] = ends[state] ?? [];
    const positions = { [`${state}_a`]: [0, row * 96] as Point, [`${state}_b`]: [288, row * 96] as Point };
    const drawing = draw({ name: "", steps, ui: { positions } }, before && after ? { progress: new Map([[`${state}_a`, progress(before, state === "taken" ? { items: { done: 1240, failed: 0, all: 1240 } } : {})], [`${state}_b`, progress(after)]]) } : {});
    all.nodes.push(...drawing.nodes.filter(({ type }) => type === "step"));
    all.edges.push(...drawing.edges.filter(({ source }) => !source.startsWith("trigger:")));
  });
  return all;
}

export const inputSchema: JsonObject = {
  type: "object",
  required: ["email", "city"],
  properties: {
    email: { type: "string", format: "email", title: "E-mail", description: "Where to write" },
    plan: { enum: ["free", "paid"], title: "Plan" },
    seats: { type: "integer", minimum: 1, title: "Seats" },
    trial: { type: "boolean", title: "Trial" },
    tags: { type: "array", items: { type: "string" }, title: "Tags" },
    address: { type: "object", title: "Address", properties: { city: { type: "string", title: "City" } } },
  },
};

export const timelineTasks = [
  { id: "1", step: "a", index: null, status: "completed", started_at: at(1), completed_at: at(3) },
  { id: "2", step: "b", index: null, status: "failed", started_at: at(3), completed_at: at(8) },
  { id: "3", step: "c", index: null, status: "skipped", started_at: null, completed_at: null },
] as unknown as Task[];
export const timelineDocument: WorkflowDocument = { name: "", steps: [{ id: "a", name: "First", step_type: "noop" }, { id: "b", name: "Second", step_type: "noop", depends_on: ["a"] }, { id: "c", name: "Never", step_type: "noop", depends_on: ["b"] }] };
const event = (seq: number, seconds: number, type: string, step: string | null, attempt = 1): JournalEvent => ({ seq, at: at(seconds), type, step, index: null, attempt, text: `${type.replaceAll("_", " ")}${step ? `: ${step}` : ""}`, data: type.startsWith("attempt_failed") || type === "task_completed" ? { started_at: Date.parse(at(seconds - 0.8)) } : {} }) as unknown as JournalEvent;
export const events: JournalEvent[] = [
  event(1, 0, "execution_started", null), event(2, 1, "attempt_scheduled", "a"), event(3, 3, "task_completed", "a"), event(4, 3, "attempt_scheduled", "b"), event(5, 4.5, "attempt_failed", "b"),
  event(6, 6, "attempt_scheduled", "b", 2), event(7, 8, "task_failed", "b", 2), event(8, 8, "task_skipped", "c"), event(9, 8, "execution_ended", null),
];
export const startedAt = at(0);

const texts: [string, string][] = [["debug", "opening"], ["info", "page 4 of 10"], ["warning", "slow answer: 3.2 s"], ["error", "no answer"], ["info", "\u001b[32mgreen\u001b[0m and \u001b[31mred\u001b[0m"]];
const lines = texts.map(([level, text], index) => ({ number: index + 1, at: at(index), level, step: "crm", index: index === 1 ? 3 : null, attempt: 1, text }) as LogLine);
export const logLines: LogLines = { total: lines.length, newest: lines.length, more: false, ready: true, error: null, at: (index) => lines[index] ?? null, indexOf: (number) => number - 1, show: () => {}, retry: () => {} };

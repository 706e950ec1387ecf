/** The workflow document as the API, YAML files and the clipboard have it (docs/reference). No React in this folder. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

export type DependsOn = string | { step: string; when?: string };
export type Join = "default" | "all" | "any" | "always";

export type RetryConfig = {
  max_attempts?: number;
  initial_delay_seconds?: number;
  backoff?: number;
  max_delay_seconds?: number;
  jitter?: boolean;
  max_elapsed_seconds?: number;
  non_retryable?: string[];
};

export type Step = {
  id: string;
  name?: string;
  description?: string;
  step_type: string;
  config?: JsonObject;
  depends_on?: DependsOn[];
  join?: Join;
  on_error?: "fail" | "continue";
  for_each?: Json;
  max_parallel?: number;
  retry_config?: RetryConfig;
  timeout_seconds?: number;
  disabled?: boolean;
  compensate?: string;
};

export type Trigger = { id: string; trigger_type: string; trigger_config?: JsonObject; enabled?: boolean };
export type Note = { id: string; text: string; x: number; y: number; width: number; height: number };
export type Point = [x: number, y: number];

/** The canvas's own part of the document; never affects a run. `alternatives` keeps the other value of a fixed/expression toggle. */
export type CanvasState = {
  positions?: Record<string, Point>;
  notes?: Note[];
  pins?: Record<string, Json>;
  alternatives?: Record<string, Json>;
  locked?: string[];
};

export type WorkflowDocument = {
  name: string;
  description?: string;
  tags?: string[];
  inputs?: JsonObject;
  triggers?: Trigger[];
  settings?: JsonObject;
  steps: Step[];
  output?: Json;
  ui?: CanvasState;
};

/** A connection: from a port of one step (null: its plain output) to another step. */
export type Edge = { source: string; port: string | null; target: string };

const documentFields = ["name", "description", "tags", "inputs", "triggers", "settings", "steps", "output", "ui"] as const;

/** The document's own fields out of an API resource that holds more. */
export function toDocument(resource: object): WorkflowDocument {
  const source = resource as Record<string, unknown>;
  const document: Record<string, unknown> = {};
  for (const field of documentFields) if (source[field] !== undefined) document[field] = source[field];
  return document as WorkflowDocument;
}

export function sourceOf(entry: DependsOn): string {
  return typeof entry === "string" ? entry : entry.step;
}

export function portOf(entry: DependsOn): string | null {
  return typeof entry === "string" || entry.when === undefined ? null : String(entry.when);
}

export function toDependsOn(source: string, port: string | null): DependsOn {
  return port === null ? source : { step: source, when: port };
}

export function edgesInto(step: Step): Edge[] {
  return (step.depends_on ?? []).map((entry) => ({ source: sourceOf(entry), port: portOf(entry), target: step.id }));
}

export function edgesOf(document: WorkflowDocument): Edge[] {
  return document.steps.flatMap(edgesInto);
}

/** A name for an edge that stays the same while it exists: `source:port>target`. */
export function edgeId(edge: Edge): string {
  return `${edge.source}:${edge.port ?? ""}>${edge.target}`;
}

export function parseEdgeId(id: string): Edge | null {
  const match = /^([a-z][a-z0-9_]*):(.*)>([a-z][a-z0-9_]*)$/.exec(id);
  return match ? { source: match[1]!, port: match[2] === "" ? null : match[2]!, target: match[3]! } : null;
}

export function findStep(document: WorkflowDocument, id: string): Step | undefined {
  return document.steps.find((step) => step.id === id);
}

/** Ids of the steps that `id` needs, directly or not. */
export function upstreamOf(document: WorkflowDocument, id: string): Set<string> {
  const byId = new Map(document.steps.map((step) => [step.id, step]));
  return walk(id, (at) => (byId.get(at)?.depends_on ?? []).map(sourceOf));
}

/** Ids of the steps that need `id`, directly or not. */
export function downstreamOf(document: WorkflowDocument, id: string): Set<string> {
  const next = new Map<string, string[]>();
  for (const { source, target } of edgesOf(document)) next.set(source, [...(next.get(source) ?? []), target]);
  return walk(id, (at) => next.get(at) ?? []);
}

function walk(from: string, neighbours: (id: string) => string[]): Set<string> {
  const seen = new Set<string>();
  const open = [...neighbours(from)];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id) || id === from) continue;
    seen.add(id);
    open.push(...neighbours(id));
  }
  return seen;
}

/** Whether connecting `source` to `target` would close a circle. */
export function wouldCycle(document: WorkflowDocument, source: string, target: string): boolean {
  return source === target || downstreamOf(document, target).has(source);
}

/** A step id made from a name: `Create CRM entry` gives `create_crm_entry`; numbered when taken. */
export function freeStepId(taken: ReadonlySet<string>, wanted: string): string {
  const base = wanted.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+|_+$/g, "").slice(0, 56) || "step";
  if (!taken.has(base)) return base;
  for (let number = 2; ; ++number) if (!taken.has(`${base}_${number}`)) return `${base}_${number}`;
}

export function stepIds(document: WorkflowDocument): Set<string> {
  return new Set(document.steps.map((step) => step.id));
}

export function isExpression(value: unknown): value is string {
  return typeof value === "string" && value.includes("{{");
}

/** Steps as text: what Copy writes and Paste reads, also from a chat, a file or another server. Credentials travel by name only. */
import type { Json, JsonObject, Note, Point, Step, WorkflowDocument } from "./document";
import { freeStepId, portOf, sourceOf, toDependsOn } from "./document";

const format = "flowpilot/clip@1";

export type Clip = { format: typeof format; steps: Step[]; positions: Record<string, Point>; notes?: Note[] };

export function copySteps(document: WorkflowDocument, positions: ReadonlyMap<string, Point>, ids: ReadonlySet<string>): string {
  const steps = document.steps.filter((step) => ids.has(step.id));
  const notes = (document.ui?.notes ?? []).filter((note) => ids.has(`note:${note.id}`));
  const clip: Clip = { format, steps, positions: Object.fromEntries(steps.map((step) => [step.id, positions.get(step.id) ?? [0, 0]])) };
  if (notes.length > 0) clip.notes = notes;
  return JSON.stringify(clip, null, 2);
}

function isStep(value: unknown): value is Step {
  const step = value as Step;
  return typeof step === "object" && step !== null && typeof step.id === "string" && typeof step.step_type === "string";
}

/** The clip in a text, or null when it holds none: a clip, a whole workflow document, or a list of steps. */
export function readClip(text: string): Clip | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const source = (Array.isArray(value) ? { steps: value } : value) as { steps?: unknown; positions?: unknown; notes?: unknown; ui?: { positions?: unknown } } | null;
  if (typeof source !== "object" || source === null || !Array.isArray(source.steps) || !source.steps.every(isStep) || source.steps.length === 0) return null;
  const positions = (source.positions ?? source.ui?.positions ?? {}) as Record<string, Point>;
  const notes = Array.isArray(source.notes) ? (source.notes as Note[]) : undefined;
  return { format, steps: source.steps as Step[], positions, ...(notes ? { notes } : {}) };
}

/** The recipe that adds a clip with its middle at `at`; `ids` gets the new ids. Wires to steps outside stay only with `keepOutside`. */
export function pasteClip(clip: Clip, document: WorkflowDocument, at: Point, keepOutside: boolean): { recipe: (draft: WorkflowDocument) => void; ids: string[] } {
  const taken = new Set(document.steps.map((step) => step.id));
  const renamed = new Map<string, string>();
  for (const step of clip.steps) {
    const id = freeStepId(taken, taken.has(step.id) ? step.id.replace(/_\d+$/, "") : step.id);
    taken.add(id);
    renamed.set(step.id, id);
  }
  const spots = clip.steps.map((step, index) => clip.positions[step.id] ?? ([index * 224, 0] as Point));
  const middle: Point = [(Math.min(...spots.map(([x]) => x)) + Math.max(...spots.map(([x]) => x))) / 2, (Math.min(...spots.map(([, y]) => y)) + Math.max(...spots.map(([, y]) => y))) / 2];
  const placed = spots.map(([x, y]): Point => [Math.round((x - middle[0] + at[0]) / 16) * 16, Math.round((y - middle[1] + at[1]) / 16) * 16]);
  const steps = clip.steps.map((step) => remap(step, renamed, keepOutside ? new Set(document.steps.map((other) => other.id)) : new Set()));
  const recipe = (draft: WorkflowDocument): void => {
    draft.steps.push(...steps);
    const ui = (draft.ui ??= {});
    const positions = (ui.positions ??= {});
    steps.forEach((step, index) => (positions[step.id] = placed[index]!));
    for (const note of clip.notes ?? [])
      (ui.notes ??= []).push({ ...note, id: crypto.randomUUID(), x: note.x - middle[0] + at[0], y: note.y - middle[1] + at[1] });
  };
  return { recipe, ids: steps.map((step) => step.id) };
}

function remap(step: Step, renamed: ReadonlyMap<string, string>, outside: ReadonlySet<string>): Step {
  const copy = structuredClone(step);
  copy.id = renamed.get(step.id)!;
  const entries = (copy.depends_on ?? []).flatMap((entry) => {
    const source = renamed.get(sourceOf(entry)) ?? (outside.has(sourceOf(entry)) ? sourceOf(entry) : undefined);
    return source === undefined ? [] : [toDependsOn(source, portOf(entry))];
  });
  if (entries.length > 0) copy.depends_on = entries;
  else delete copy.depends_on;
  if (copy.compensate) {
    const target = renamed.get(copy.compensate);
    if (target) copy.compensate = target;
    else delete copy.compensate;
  }
  if (copy.config) copy.config = rewrite(copy.config, renamed) as JsonObject;
  if (copy.for_each !== undefined) copy.for_each = rewrite(copy.for_each, renamed);
  return copy;
}

function rewrite(value: Json, renamed: ReadonlyMap<string, string>): Json {
  if (typeof value === "string")
    return value.includes("{{") ? value.replace(/(\bsteps\.)([a-z][a-z0-9_]*)/g, (all, head: string, id: string) => (renamed.has(id) ? head + renamed.get(id)! : all)) : value;
  if (Array.isArray(value)) return value.map((inner) => rewrite(inner, renamed));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, rewrite(inner, renamed)]));
  return value;
}

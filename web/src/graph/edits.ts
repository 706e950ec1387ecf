/** What can be done to a document, each a recipe for `edit`: menu, keyboard, palette and pointer all come through here. */
import { grid, rowPitch } from "./anatomy";
import type { DependsOn, Edge, Join, Json, JsonObject, Note, Point, Step, Trigger, WorkflowDocument } from "./document";
import { edgesOf, findStep, portOf, sourceOf, toDependsOn } from "./document";

export type Recipe = (draft: WorkflowDocument) => void;

export function snap(value: number): number {
  return Math.round(value / grid) * grid;
}

function canvasOf(draft: WorkflowDocument) {
  return (draft.ui ??= {});
}

function positionsOf(draft: WorkflowDocument): Record<string, Point> {
  return (canvasOf(draft).positions ??= {});
}

function setDependsOn(step: Step, entries: DependsOn[]): void {
  if (entries.length > 0) step.depends_on = entries;
  else delete step.depends_on;
}

/** Positions that were only computed so far become the document's, so that an edit never makes untouched steps jump. Triggers stay beside the
 * first steps until they are moved. */
export function keepPositions(positions: ReadonlyMap<string, Point>): Recipe {
  return (draft) => {
    const kept = positionsOf(draft);
    for (const [id, [x, y]] of positions) if (!id.startsWith("trigger:")) kept[id] ??= [x, y];
  };
}

export function addStep(step: Step, at: Point, from?: { source: string; port: string | null }): Recipe {
  return (draft) => {
    draft.steps.push(from ? { ...step, depends_on: [toDependsOn(from.source, from.port)] } : step);
    positionsOf(draft)[step.id] = [snap(at[0]), snap(at[1])];
  };
}

/** Puts a step on an edge: what followed the edge now follows the step, on `outPort` where the step's ports decide the way. */
export function insertOnEdge(step: Step, edge: Edge, at: Point, outPort: string | null, shift: readonly string[]): Recipe {
  return (draft) => {
    const target = findStep(draft, edge.target);
    if (!target?.depends_on) return;
    const index = draft.steps.findIndex((other) => other.id === edge.target);
    const existing = findStep(draft, step.id);
    if (existing) existing.depends_on = [...(existing.depends_on ?? []), toDependsOn(edge.source, edge.port)];
    else draft.steps.splice(index, 0, { ...step, depends_on: [toDependsOn(edge.source, edge.port)] });
    target.depends_on = target.depends_on.map((entry) =>
      sourceOf(entry) === edge.source && portOf(entry) === edge.port ? toDependsOn(step.id, outPort) : entry,
    );
    const positions = positionsOf(draft);
    positions[step.id] = [snap(at[0]), snap(at[1])];
    for (const id of shift) {
      const position = positions[id];
      if (position) positions[id] = [position[0] + 14 * grid, position[1]];
    }
  };
}

export function connect({ source, port, target }: Edge): Recipe {
  return (draft) => {
    const step = findStep(draft, target);
    if (!step) return;
    const entries = step.depends_on ?? [];
    if (entries.some((entry) => sourceOf(entry) === source && portOf(entry) === port)) return;
    step.depends_on = [...entries, toDependsOn(source, port)];
  };
}

export function disconnect(edges: readonly Edge[]): Recipe {
  return (draft) => {
    for (const edge of edges) {
      const step = findStep(draft, edge.target);
      if (!step?.depends_on) continue;
      setDependsOn(step, step.depends_on.filter((entry) => !(sourceOf(entry) === edge.source && portOf(entry) === edge.port)));
    }
  };
}

/** Deletes steps. With `reconnect`, what a deleted step needed is needed by what followed it; without, the wires break. */
export function removeSteps(ids: ReadonlySet<string>, reconnect: boolean): Recipe {
  return (draft) => {
    const removed = new Map(draft.steps.filter((step) => ids.has(step.id)).map((step) => [step.id, step]));
    const replacement = (id: string, seen: Set<string>): DependsOn[] => {
      const step = removed.get(id);
      if (!step || seen.has(id)) return [];
      seen.add(id);
      return (step.depends_on ?? []).flatMap((entry) => (removed.has(sourceOf(entry)) ? replacement(sourceOf(entry), seen) : [entry]));
    };
    draft.steps = draft.steps.filter((step) => !ids.has(step.id));
    for (const step of draft.steps) {
      if (step.compensate && ids.has(step.compensate)) delete step.compensate;
      if (!step.depends_on?.some((entry) => ids.has(sourceOf(entry)))) continue;
      const entries: DependsOn[] = [];
      for (const entry of step.depends_on) {
        const found = !ids.has(sourceOf(entry)) ? [entry] : reconnect && portOf(entry) !== "error" ? replacement(sourceOf(entry), new Set()) : [];
        for (const next of found)
          if (!entries.some((other) => sourceOf(other) === sourceOf(next) && portOf(other) === portOf(next))) entries.push(next);
      }
      setDependsOn(step, entries);
    }
    if (draft.triggers?.some((trigger) => ids.has(`trigger:${trigger.id}`))) {
      draft.triggers = draft.triggers.filter((trigger) => !ids.has(`trigger:${trigger.id}`));
      if (draft.triggers.length === 0) delete draft.triggers;
    }
    const ui = draft.ui;
    if (!ui) return;
    for (const id of ids) {
      delete ui.positions?.[id];
      delete ui.pins?.[id];
    }
    if (ui.notes) ui.notes = ui.notes.filter((note) => !ids.has(`note:${note.id}`));
  };
}

export function moveTo(positions: ReadonlyMap<string, Point>): Recipe {
  return (draft) => {
    const kept = positionsOf(draft);
    for (const [id, [x, y]] of positions) {
      if (id.startsWith("note:")) {
        const note = draft.ui?.notes?.find((other) => `note:${other.id}` === id);
        if (note) [note.x, note.y] = [Math.round(x), Math.round(y)];
      } else {
        kept[id] = [Math.round(x), Math.round(y)];
      }
    }
  };
}

type StepField = Exclude<keyof Step, "id" | "depends_on">;

/** Sets a field of a step; undefined takes it away, so that the document says only what differs from the defaults. */
export function setField<F extends StepField>(id: string, field: F, value: Step[F] | undefined): Recipe {
  return (draft) => {
    const step = findStep(draft, id);
    if (!step) return;
    if (value === undefined) delete step[field];
    else step[field] = value;
  };
}

export function setConfig(id: string, name: string, value: Json | undefined): Recipe {
  return (draft) => {
    const step = findStep(draft, id);
    if (!step) return;
    const config: JsonObject = { ...step.config };
    if (value === undefined) delete config[name];
    else config[name] = value;
    if (Object.keys(config).length > 0) step.config = config;
    else delete step.config;
  };
}

/** Remembers the value a fixed/expression toggle hides, so that toggling back loses nothing. */
export function keepAlternative(key: string, value: Json | undefined): Recipe {
  return (draft) => {
    const kept = (canvasOf(draft).alternatives ??= {});
    if (value === undefined) delete kept[key];
    else kept[key] = value;
  };
}

export function setJoin(id: string, join: Join): Recipe {
  return setField(id, "join", join === "default" ? undefined : join);
}

export function toggleDisabled(ids: readonly string[]): Recipe {
  return (draft) => {
    const steps = draft.steps.filter((step) => ids.includes(step.id));
    const triggers = (draft.triggers ?? []).filter((trigger) => ids.includes(`trigger:${trigger.id}`));
    const off = steps.some((step) => !step.disabled) || triggers.some((trigger) => trigger.enabled !== false);
    for (const step of steps) {
      if (off) step.disabled = true;
      else delete step.disabled;
    }
    for (const trigger of triggers) {
      if (off) trigger.enabled = false;
      else delete trigger.enabled;
    }
  };
}

export function pin(id: string, value: Json | undefined): Recipe {
  return (draft) => {
    const pins = (canvasOf(draft).pins ??= {});
    if (value === undefined) delete pins[id];
    else pins[id] = value;
  };
}

export function addNote(note: Note): Recipe {
  return (draft) => {
    (canvasOf(draft).notes ??= []).push(note);
  };
}

export function setNote(id: string, change: Partial<Note>): Recipe {
  return (draft) => {
    const note = draft.ui?.notes?.find((other) => other.id === id);
    if (note) Object.assign(note, change);
  };
}

export function addTrigger(trigger: Trigger, at: Point): Recipe {
  return (draft) => {
    (draft.triggers ??= []).push(trigger);
    positionsOf(draft)[`trigger:${trigger.id}`] = at;
  };
}

export function setTrigger(id: string, change: { enabled: boolean | undefined }): Recipe {
  return (draft) => {
    const trigger = draft.triggers?.find((other) => other.id === id);
    if (!trigger) return;
    if (change.enabled === undefined) delete trigger.enabled;
    else trigger.enabled = change.enabled;
  };
}

export function setTriggerConfig(id: string, name: string, value: Json | undefined): Recipe {
  return (draft) => {
    const trigger = draft.triggers?.find((other) => other.id === id);
    if (!trigger) return;
    const config = (trigger.trigger_config ??= {});
    if (value === undefined) delete config[name];
    else config[name] = value;
  };
}

/** Takes over another document's content; steps keep their objects where nothing differs, so the canvas redraws only what changed. */
export function replaceDocument(next: WorkflowDocument): Recipe {
  return (draft) => {
    const before = new Map(draft.steps.map((step) => [step.id, step]));
    const target = draft as unknown as Record<string, unknown>;
    for (const key of Object.keys(target)) if (!(key in next)) delete target[key];
    for (const [key, value] of Object.entries(next)) {
      if (key === "steps") continue;
      if (JSON.stringify(target[key]) !== JSON.stringify(value)) target[key] = structuredClone(value);
    }
    const same = next.steps.length === draft.steps.length && next.steps.every((step, index) => draft.steps[index]!.id === step.id);
    if (same) {
      next.steps.forEach((step, index) => {
        if (JSON.stringify(draft.steps[index]) !== JSON.stringify(step)) draft.steps[index] = structuredClone(step);
      });
    } else {
      draft.steps = next.steps.map((step) => {
        const old = before.get(step.id);
        return old && JSON.stringify(old) === JSON.stringify(step) ? old : structuredClone(step);
      });
    }
  };
}

/** Changes a step's id and every reference to it: depends_on, compensate, expressions, canvas state. */
export function changeStepId(from: string, to: string): Recipe {
  const reference = new RegExp(`(\\bsteps\\s*\\.\\s*)${from}\\b|(\\bsteps\\s*\\[\\s*)(["'])${from}\\3(\\s*\\])`, "g");
  const rewriteText = (text: string): string =>
    text.includes("{{")
      ? text.replace(/\{\{[\s\S]*?\}\}/g, (part) =>
          part.replace(reference, (_all, dotted: string | undefined, opened: string, quote: string, closed: string) => (dotted ? `${dotted}${to}` : `${opened}${quote}${to}${quote}${closed}`)),
        )
      : text;
  const rewrite = (value: Json): Json => {
    if (typeof value === "string") return rewriteText(value);
    if (Array.isArray(value)) return value.map(rewrite);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, rewrite(inner)]));
    return value;
  };
  return (draft) => {
    for (const step of draft.steps) {
      if (step.id === from) step.id = to;
      if (step.compensate === from) step.compensate = to;
      if (step.depends_on?.some((entry) => sourceOf(entry) === from))
        step.depends_on = step.depends_on.map((entry) => (sourceOf(entry) === from ? toDependsOn(to, portOf(entry)) : entry));
      const text = JSON.stringify([step.config, step.for_each]);
      if (text.includes(from)) {
        if (step.config) step.config = rewrite(step.config) as JsonObject;
        if (step.for_each !== undefined) step.for_each = rewrite(step.for_each);
      }
    }
    if (draft.output !== undefined) draft.output = rewrite(draft.output);
    for (const record of [draft.ui?.positions, draft.ui?.pins] as (Record<string, unknown> | undefined)[]) {
      if (record && from in record) {
        record[to] = record[from];
        delete record[from];
      }
    }
  };
}

/** Where a new step after `source` goes: right of it, below what already follows it. */
export function placeAfter(document: WorkflowDocument, positions: ReadonlyMap<string, Point>, source: string): Point {
  const [x, y] = positions.get(source) ?? [0, 0];
  const spots = [...positions.values()];
  const column = x + 14 * grid;
  let row = y;
  const followers = edgesOf(document).filter((edge) => edge.source === source).length;
  if (followers > 0) row += rowPitch;
  while (spots.some(([px, py]) => Math.abs(px - column) < 12 * grid && Math.abs(py - row) < 64)) row += rowPitch;
  return [column, row];
}

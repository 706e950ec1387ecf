/** What differs between two documents, by step id: moving a step changes nothing, renaming one does. */
import type { Json, Step, WorkflowDocument } from "./document";

export type Change = { path: string; before: Json | undefined; after: Json | undefined };
export type DocumentDiff = { added: Set<string>; removed: Set<string>; changed: Map<string, Change[]>; settings: Change[]; count: number };

export function diffDocuments(before: WorkflowDocument, after: WorkflowDocument): DocumentDiff {
  const old = new Map(before.steps.map((step) => [step.id, step]));
  const now = new Map(after.steps.map((step) => [step.id, step]));
  const added = new Set([...now.keys()].filter((id) => !old.has(id)));
  const removed = new Set([...old.keys()].filter((id) => !now.has(id)));
  const changed = new Map<string, Change[]>();
  for (const [id, step] of now) {
    const previous = old.get(id);
    if (!previous || previous === step) continue;
    const changes = diffValues(previous, step);
    if (changes.length > 0) changed.set(id, changes);
  }
  const settings: Change[] = [];
  for (const field of ["name", "description", "tags", "inputs", "triggers", "settings", "output"] as const)
    settings.push(...diffAt(`/${field}`, before[field] as Json | undefined, after[field] as Json | undefined));
  return { added, removed, changed, settings, count: added.size + removed.size + changed.size + settings.length };
}

const known = new WeakMap<WorkflowDocument, { before: WorkflowDocument; diff: DocumentDiff }>();

/** The same, computed once for a pair of documents: bar, canvas, dock and dialog all show it. */
export function diffOnce(before: WorkflowDocument, after: WorkflowDocument): DocumentDiff {
  const kept = known.get(after);
  if (kept?.before === before) return kept.diff;
  const diff = diffDocuments(before, after);
  known.set(after, { before, diff });
  return diff;
}

export function diffValues(before: Step, after: Step): Change[] {
  return diffAt("", before as unknown as Json, after as unknown as Json);
}

function diffAt(path: string, before: Json | undefined, after: Json | undefined): Change[] {
  if (Object.is(before, after)) return [];
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => diffAt(`${path}/${name.replace(/~/g, "~0").replace(/\//g, "~1")}`, before[name], after[name]));
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ path, before, after }];
}

function isObject(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

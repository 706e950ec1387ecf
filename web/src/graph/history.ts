/**
 * Undo and redo of a document: a log of labelled patches (RFC 6902 shapes from immer), not of snapshots, so that a thousand
 * edits of a large workflow stay small and can be stored and sent one by one. Undone and redone documents are the same byte for byte:
 * a member that comes back takes the place it had.
 */
import { applyPatches, enablePatches, produceWithPatches, setAutoFreeze, type Patch } from "immer";

import type { WorkflowDocument } from "./document";

enablePatches();
setAutoFreeze(false); // documents of 1,000 steps are frozen needlessly on every edit; types already forbid writing

/** A change of one place; `after` names the member that stands before an added one, null when it is the first. Without it, it is the last. */
export type Change = Patch & { after?: string | null };
/** One undoable edit. `merge` names edits that belong together while they follow each other: typing into one field, one drag. */
export type Edit = { label: string; forward: Change[]; backward: Change[]; merge?: string; at: number };
export type Recipe = (draft: WorkflowDocument) => void;

export type History = { document: WorkflowDocument; past: Edit[]; future: Edit[] };

const longest = 1000;
const mergeWithin = 1000; // milliseconds between keystrokes of one edit

export function startHistory(document: WorkflowDocument): History {
  return { document, past: [], future: [] };
}

/** The history after `recipe`; the very same object when it changes nothing. */
export function edit(history: History, label: string, recipe: Recipe, merge?: string, at = Date.now()): History {
  const made = changesOf(history.document, recipe);
  if (made === null) return history;
  const last = history.past.at(-1);
  if (merge !== undefined && last?.merge === merge && at - last.at <= mergeWithin) {
    // One edit from where the first of them began: what was typed in between needs no place in it.
    const began = applyChanges(history.document, last.backward);
    const joined = changesOf(began, (draft) => void applyPatches(draft, [...last.forward, ...made.forward]));
    if (joined === null) return { document: began, past: history.past.slice(0, -1), future: [] };
    const { document, forward, backward } = joined;
    return { document, past: [...history.past.slice(0, -1), { label, merge, at, forward, backward }], future: [] };
  }
  const { document, forward, backward } = made;
  const entry: Edit = { label, forward, backward, at, ...(merge === undefined ? {} : { merge }) };
  return { document, past: [...history.past.slice(-(longest - 1)), entry], future: [] };
}

export function undo(history: History): History {
  const last = history.past.at(-1);
  if (!last) return history;
  return { document: applyChanges(history.document, last.backward), past: history.past.slice(0, -1), future: [...history.future, last] };
}

export function redo(history: History): History {
  const next = history.future.at(-1);
  if (!next) return history;
  const again = next.merge === undefined ? next : { ...next, merge: undefined }; // what is typed now is another edit
  return { document: applyChanges(history.document, next.forward), past: [...history.past, again], future: history.future.slice(0, -1) };
}

type Members = { [name: string]: unknown };

/** What a recipe changes, and the document after it: exactly the one that redoing the changes makes. Null when it changes nothing. */
function changesOf(before: WorkflowDocument, recipe: Recipe): { document: WorkflowDocument; forward: Change[]; backward: Change[] } | null {
  const [made, forward, inverse] = produceWithPatches(before, recipe);
  if (forward.length === 0) return null;
  const document = hasOrderOf(made, before, forward) ? made : applyPatches(before, forward);
  // Members that undoing brings back, each after the one it stood behind; in the order they had, so that a run of them finds its places.
  const places = new Map<Patch, number>();
  const backward = inverse.map((patch): Change => {
    const name = patch.path.at(-1);
    const parent = membersAt(before, patch.path.slice(0, -1));
    if (patch.op !== "add" || typeof name !== "string" || !parent) return patch;
    const names = namesOf(parent);
    const place = names.indexOf(name);
    if (place < 0) return patch;
    const change: Change = { ...patch, after: place === 0 ? null : names[place - 1]! };
    places.set(change, place);
    return change;
  });
  backward.sort((a, b) => (places.get(a) ?? -1) - (places.get(b) ?? -1)); // stable: all else keeps its order, before them
  return { document, forward, backward };
}

/** Whether each object a recipe touched has its members in the order in which its patches would make them. */
function hasOrderOf(made: WorkflowDocument, before: WorkflowDocument, patches: readonly Patch[]): boolean {
  const touched = new Map<string, { path: Patch["path"]; added: string[]; removed: Set<string> }>();
  for (const { op, path } of patches) {
    const name = path.at(-1);
    if (typeof name !== "string") continue;
    const parent = path.slice(0, -1);
    const key = JSON.stringify(parent);
    let entry = touched.get(key);
    if (!entry) touched.set(key, (entry = { path: parent, added: [], removed: new Set() }));
    if (op === "add") entry.added.push(name);
    if (op === "remove") entry.removed.add(name);
  }
  for (const { path, added, removed } of touched.values()) {
    const old = membersAt(before, path);
    const now = membersAt(made, path);
    if (!old || !now) continue;
    const wanted = [...Object.keys(old).filter((name) => !removed.has(name)), ...added];
    const found = Object.keys(now);
    if (wanted.length !== found.length || wanted.some((name, index) => name !== found[index])) return false;
  }
  return true;
}

const nameLists = new WeakMap<object, string[]>();

function namesOf(members: Members): string[] {
  let names = nameLists.get(members);
  if (!names) nameLists.set(members, (names = Object.keys(members)));
  return names;
}

function membersAt(document: WorkflowDocument, path: Patch["path"]): Members | null {
  let at: unknown = document;
  for (const part of path) at = typeof at === "object" && at !== null ? (at as Members)[part as string] : undefined;
  return typeof at === "object" && at !== null && !Array.isArray(at) ? (at as Members) : null;
}

function applyChanges(document: WorkflowDocument, changes: Change[]): WorkflowDocument {
  const next = applyPatches(document, changes);
  for (const { path, after } of changes) {
    if (after === undefined) continue;
    const members = membersAt(next, path.slice(0, -1));
    const name = path.at(-1) as string;
    if (!members || !(name in members)) continue;
    // The object is new: a member was just added to it. What stands behind moves to the end, in order, and the member is in its place.
    const names = Object.keys(members).filter((other) => other !== name);
    for (const follower of names.slice(after === null ? 0 : names.indexOf(after) + 1)) {
      const value = members[follower];
      delete members[follower];
      members[follower] = value;
    }
  }
  return next;
}

/**
 * Undo and redo of a document: a log of labelled patches (RFC 6902 shapes from immer), not of snapshots, so that a thousand
 * edits of a large workflow stay small and can be stored and sent one by one.
 */
import { applyPatches, enablePatches, produceWithPatches, setAutoFreeze, type Patch } from "immer";

import type { WorkflowDocument } from "./document";

enablePatches();
setAutoFreeze(false); // documents of 1,000 steps are frozen needlessly on every edit; types already forbid writing

/** One undoable edit. `merge` names edits that belong together while they follow each other: typing into one field, one drag. */
export type Edit = { label: string; forward: Patch[]; backward: Patch[]; merge?: string; at: number };
export type Recipe = (draft: WorkflowDocument) => void;

export type History = { document: WorkflowDocument; past: Edit[]; future: Edit[] };

const longest = 1000;
const mergeWithin = 1000; // milliseconds between keystrokes of one edit

export function startHistory(document: WorkflowDocument): History {
  return { document, past: [], future: [] };
}

/** The history after `recipe`; the very same object when it changes nothing. */
export function edit(history: History, label: string, recipe: Recipe, merge?: string, at = Date.now()): History {
  const [document, forward, backward] = produceWithPatches(history.document, recipe);
  if (forward.length === 0) return history;
  const last = history.past.at(-1);
  if (merge !== undefined && last?.merge === merge && at - last.at <= mergeWithin) {
    const joined: Edit = { label, merge, at, forward: [...last.forward, ...forward], backward: [...backward, ...last.backward] };
    return { document, past: [...history.past.slice(0, -1), joined], future: [] };
  }
  const entry: Edit = { label, forward, backward, at, ...(merge === undefined ? {} : { merge }) };
  return { document, past: [...history.past.slice(-(longest - 1)), entry], future: [] };
}

export function undo(history: History): History {
  const last = history.past.at(-1);
  if (!last) return history;
  return { document: applyPatches(history.document, last.backward), past: history.past.slice(0, -1), future: [...history.future, last] };
}

export function redo(history: History): History {
  const next = history.future.at(-1);
  if (!next) return history;
  return { document: applyPatches(history.document, next.forward), past: [...history.past, { ...next, merge: undefined }], future: history.future.slice(0, -1) };
}

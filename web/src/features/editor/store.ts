/** What the designer knows: the document with its history, what is chosen and open, how far saving is. Server state stays in queries. */
import { createContext, useContext } from "react";
import { createStore, useStore, type StoreApi } from "zustand";

import type { Execution, Issue, Workflow } from "../../api/client";
import { toDocument, type Json, type WorkflowDocument } from "../../graph/document";
import { edit, redo, startHistory, undo, type Edit, type History, type Recipe } from "../../graph/history";

export type SaveState = "saved" | "saving" | "kept" | "conflict";
export type DockTab = "step" | "run" | "logs" | "versions";
export type StepTab = "parameters" | "reliability" | "output";
export type Problem = Issue & { step: string | null; field: string | null };
export type Published = { version: number; document: WorkflowDocument };
export type Plan = { run: string[]; reuse: string[]; skip: string[] };

export type EditorState = {
  id: string;
  workflow: Workflow; // as the server last told, without what is being edited
  revision: number;
  history: History;
  published: Published | null;
  selection: ReadonlySet<string>;
  edges: ReadonlySet<string>; // chosen edges
  saveState: SaveState;
  saveError: string | null;
  conflict: { theirs: WorkflowDocument; revision: number } | null;
  problems: Problem[];
  dockOpen: boolean;
  dockTab: DockTab;
  stepTab: StepTab;
  execution: Execution | null; // shown on the canvas
  executionId: string | null;
  sampleId: string | null; // whose data expressions are tried with
  sampleInput: Json | null; // an input that was captured, tried instead of that execution's
  plan: Plan | null;
  restored: number;
  heat: boolean; // steps coloured by how long they took
};

export type Editor = StoreApi<EditorState> & {
  edit: (label: string, recipe: Recipe, merge?: string) => void;
  undo: () => void;
  redo: () => void;
  select: (ids: Iterable<string>, edges?: Iterable<string>) => void;
  openStep: (id: string, tab?: StepTab) => void;
};

/** Problems as the server lists them, with the step each is about: pointers count steps, people name them. */
export function placeProblems(issues: readonly Issue[], document: WorkflowDocument): Problem[] {
  return issues.map((issue) => {
    const match = /^\/steps\/(\d+)(?:\/(.*))?$/.exec(issue.pointer);
    const step = match ? (document.steps[Number(match[1])]?.id ?? null) : null;
    // A missing member is reported where it should be: point at the field itself.
    const missing = /^"([a-z0-9_]+)" is missing/.exec(issue.message)?.[1];
    const field = match?.[2] ?? null;
    return { ...issue, step, field: missing ? [field, missing].filter(Boolean).join("/") : field };
  });
}

export function createEditor(workflow: Workflow, restored?: { document: WorkflowDocument; past: Edit[]; future: Edit[]; saved: boolean }): Editor {
  const document = restored?.document ?? toDocument(workflow);
  const store = createStore<EditorState>(() => ({
    id: workflow.id,
    workflow,
    revision: workflow.revision,
    history: restored ? { document, past: restored.past, future: restored.future } : startHistory(document),
    published: null,
    selection: new Set(),
    edges: new Set(),
    saveState: restored && !restored.saved ? "kept" : "saved",
    saveError: null,
    conflict: null,
    problems: placeProblems(workflow.issues, document),
    dockOpen: true,
    dockTab: "step",
    stepTab: "parameters",
    execution: null,
    executionId: null,
    sampleId: null,
    sampleInput: null,
    plan: null,
    restored: restored && !restored.saved ? restored.past.length : 0,
    heat: false,
  }));
  const take = (history: History): void => {
    const before = store.getState();
    if (history === before.history) return;
    const known = new Set(history.document.steps.map((step) => step.id));
    const stillThere = (id: string): boolean => known.has(id) || id.startsWith("trigger:") || id.startsWith("note:");
    const selection = [...before.selection].every(stillThere) ? before.selection : new Set([...before.selection].filter(stillThere));
    store.setState({ history, selection, plan: null });
  };
  return Object.assign(store, {
    edit: (label: string, recipe: Recipe, merge?: string) => take(edit(store.getState().history, label, recipe, merge)),
    undo: () => take(undo(store.getState().history)),
    redo: () => take(redo(store.getState().history)),
    select: (ids: Iterable<string>, edges: Iterable<string> = []) => store.setState({ selection: new Set(ids), edges: new Set(edges) }),
    openStep: (id: string, tab?: StepTab) =>
      store.setState((state) => ({ selection: new Set([id]), edges: new Set<string>(), dockOpen: true, dockTab: state.dockTab === "versions" ? "step" : state.dockTab, ...(tab ? { stepTab: tab, dockTab: "step" as const } : {}) })),
  });
}

const Context = createContext<Editor | null>(null);
export const EditorProvider = Context.Provider;

export function useEditor(): Editor {
  const editor = useContext(Context);
  if (!editor) throw new Error("useEditor outside of EditorProvider");
  return editor;
}

export function useEditorState<T>(select: (state: EditorState) => T): T {
  return useStore(useEditor(), select);
}

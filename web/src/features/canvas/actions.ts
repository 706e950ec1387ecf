import { createContext, useContext } from "react";

import type { Edge } from "../../graph/document";

/** What a step, edge or note on the canvas may ask for; the editor gives real ones, a read-only canvas these. */
export type CanvasActions = {
  marked: ReadonlySet<string>; // found by a search, or part of the lineage shown
  connecting: string | null; // step whose connection is being drawn by keyboard
  candidate: string | null;
  editingNote: string | null;
  editNote: (id: string | null) => void;
  setNote: (id: string, text: string | undefined, size?: [number, number]) => void;
  insertOn: (edge: Edge, x: number, y: number) => void;
};

const none = new Set<string>();
export const idleActions: CanvasActions = { marked: none, connecting: null, candidate: null, editingNote: null, editNote: () => {}, setNote: () => {}, insertOn: () => {} };
const Context = createContext<CanvasActions>(idleActions);
export const CanvasActionsProvider = Context.Provider;

export function useCanvasActions(): CanvasActions {
  return useContext(Context);
}

/** Whether edges carry their buttons: too small to press from further away, they would only be moved about. */
const EdgeButtons = createContext(true);
export const EdgeButtonsProvider = EdgeButtons.Provider;
export const edgeButtonsFrom = 0.6; // zoom

export function useEdgeButtons(): boolean {
  return useContext(EdgeButtons);
}

/** Steps that hold a text: in their name, id, type or anywhere in their settings. */
import type { WorkflowDocument } from "../../graph/document";

export function findInDocument(document: WorkflowDocument, text: string): string[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  return document.steps.filter((step) => `${step.id} ${step.name ?? ""} ${step.step_type} ${JSON.stringify(step.config ?? {})} ${JSON.stringify(step.for_each ?? "")}`.toLowerCase().includes(wanted)).map((step) => step.id);
}

/** What an expression of a step can read, with values from the chosen execution, pinned data, or the declared shapes. */
import type { Execution, TaskType } from "../../api/client";
import { sampleOf, type Scope } from "../../graph/completion";
import { findStep, upstreamOf, type Json, type WorkflowDocument } from "../../graph/document";

export type Sample = { scope: Scope; origin: Map<string, "pinned" | "execution" | "schema"> };

export function scopeFor(document: WorkflowDocument, step: string, types: ReadonlyMap<string, TaskType>, execution: Execution | null, captured: Json | null = null): Sample {
  const steps: { [name: string]: Json } = {};
  const origin = new Map<string, "pinned" | "execution" | "schema">();
  for (const id of upstreamOf(document, step)) {
    const source = findStep(document, id);
    if (!source) continue;
    const pinned = document.ui?.pins?.[id];
    const tasks = execution?.tasks.filter((task) => task.step === id) ?? [];
    const ended = tasks.filter((task) => task.status === "completed");
    if (pinned !== undefined) {
      steps[id] = { output: pinned, status: "completed" };
      origin.set(id, "pinned");
    } else if (ended.length > 0) {
      const whole = ended.find((task) => task.index === null);
      const output = (whole ? whole.result : ended.sort((a, b) => a.index! - b.index!).map((task) => task.result)) as Json;
      steps[id] = { output: output ?? null, status: "completed" };
      origin.set(id, "execution");
    } else {
      const failed = tasks.find((task) => task.error);
      const shape = sampleOf(types.get(source.step_type)?.output_schema as Json);
      steps[id] = { output: shape ?? null, status: "completed", ...(failed ? { error: failed.error as Json } : {}) };
      origin.set(id, "schema");
    }
  }
  const own = findStep(document, step);
  const input = captured ?? (execution?.input as Json) ?? sampleOf(document.inputs as Json) ?? {};
  const scope: Scope = { input, steps, vars: {}, execution: { id: execution?.id ?? "", started_at: execution?.started_at ?? "" } };
  if (own?.for_each !== undefined || usesItem(own?.step_type)) {
    scope.item = undefined;
    scope.index = 0;
  }
  return { scope, origin };
}

function usesItem(type: string | undefined): boolean {
  return type !== undefined && ["filter", "map", "sort", "dedupe", "aggregate"].includes(type);
}

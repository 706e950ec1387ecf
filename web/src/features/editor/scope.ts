/** What an expression of a step can read, with values from the chosen execution, pinned data, or the declared shapes. */
import type { Execution, TaskType } from "../../api/client";
import { sampleOf, type Scope } from "../../graph/completion";
import { findStep, upstreamOf, type Json, type JsonObject, type Step, type WorkflowDocument } from "../../graph/document";
import { isTruncated } from "../executions/large";

export type Sample = { scope: Scope; origin: Map<string, "pinned" | "execution" | "schema"> };

/** What is asked of the server besides: the variables it has, and samples of outputs too large to come whole, the request that a test of a webhook captured. */
export type Known = { vars: JsonObject; large: ReadonlyMap<string, Json>; captured: Json | null };

export const nothingKnown: Known = { vars: {}, large: new Map(), captured: null };

export function scopeFor(document: WorkflowDocument, step: string, types: ReadonlyMap<string, TaskType>, execution: Execution | null, known: Known = nothingKnown): Sample {
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
      steps[id] = { output: isTruncated(output) ? (known.large.get(id) ?? null) : (output ?? null), status: "completed" };
      origin.set(id, "execution");
    } else {
      const failed = tasks.find((task) => task.error);
      const shape = sampleOf(types.get(source.step_type)?.output_schema as Json);
      steps[id] = { output: shape ?? null, status: "completed", ...(failed ? { error: failed.error as Json } : {}) };
      origin.set(id, "schema");
    }
  }
  const input = known.captured ?? (execution?.input as Json) ?? sampleOf(document.inputs as Json) ?? {};
  const scope: Scope = { input, steps, vars: known.vars, execution: { id: execution?.id ?? "", started_at: execution?.started_at ?? "" } };
  return { scope, origin };
}

const listTypes = new Set(["filter", "map", "sort", "dedupe", "aggregate"]);

/** The list whose items a step's fields are evaluated with: of `for_each`, or of its own type; undefined when there is none. */
export function itemsOf(step: Step): Json | undefined {
  if (step.for_each !== undefined) return step.for_each;
  return listTypes.has(step.step_type) ? (step.config?.items ?? null) : undefined;
}

/** Whether `item` and `index` are in scope of a field: not of the one that gives the list. */
export function isPerItem(step: Step, field: string): boolean {
  const items = itemsOf(step);
  if (items === undefined || field === "for_each") return false;
  return step.for_each !== undefined || field !== "items";
}

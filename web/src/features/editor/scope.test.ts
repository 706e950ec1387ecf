import { describe, expect, it } from "vitest";

import type { Execution, Task } from "../../api/client";
import type { WorkflowDocument } from "../../graph/document";
import { isTruncated, sampleLarge } from "../executions/large";
import { itemTemplate } from "./panel/use_scope";
import { isPerItem, itemsOf, scopeFor } from "./scope";

const document: WorkflowDocument = {
  name: "W",
  steps: [
    { id: "a", step_type: "set" },
    { id: "b", step_type: "filter", depends_on: ["a"], config: { items: "{{ steps.a.output }}", where: "{{ item.ok }}" } },
    { id: "c", step_type: "noop", depends_on: ["b"], for_each: "{{ steps.b.output }}" },
    { id: "aside", step_type: "noop" },
  ],
};
const truncated = { truncated: true, bytes: 10_000_000, preview: "{" };
const execution = (tasks: Partial<Task>[]): Execution => ({ id: "e", started_at: "", input: { n: 1 }, tasks: tasks.map((task) => ({ index: null, status: "completed", ...task })) }) as unknown as Execution;

describe("what an expression can read", () => {
  it("is what comes before it, with what it gave", () => {
    const { scope, origin } = scopeFor(document, "c", new Map(), execution([{ step: "a", result: [1] }, { step: "aside", result: 2 }]));
    expect(scope.steps).toEqual({ a: { output: [1], status: "completed" }, b: { output: null, status: "completed" } });
    expect(origin.get("b")).toBe("schema");
    expect(scope.input).toEqual({ n: 1 });
  });

  it("is the pinned data where there is some, and a sample where the output is large", () => {
    const pinned = { ...document, ui: { pins: { a: "pinned" } } };
    expect(scopeFor(pinned, "b", new Map(), execution([{ step: "a", result: 1 as never }])).scope.steps).toMatchObject({ a: { output: "pinned" } });
    const known = { vars: { url: "x" }, large: new Map([["a", [{ id: 1 }]]]), captured: null };
    const { scope } = scopeFor(document, "b", new Map(), execution([{ step: "a", result: truncated as never }]), known);
    expect(scope).toMatchObject({ steps: { a: { output: [{ id: 1 }] } }, vars: { url: "x" } });
  });

  it("has items of a for_each in order", () => {
    const { scope } = scopeFor({ ...document, steps: [...document.steps, { id: "d", step_type: "noop", depends_on: ["c"] }] }, "d", new Map(), execution([{ step: "c", index: 1, result: "second" as never }, { step: "c", index: 0, result: "first" as never }]));
    expect(scope.steps).toMatchObject({ c: { output: ["first", "second"] } });
  });
});

describe("items", () => {
  it("are of for_each or of the step's own list, and not in scope of what gives them", () => {
    const [a, b, c] = document.steps;
    expect([itemsOf(a!), itemsOf(b!), itemsOf(c!)]).toEqual([undefined, "{{ steps.a.output }}", "{{ steps.b.output }}"]);
    expect([isPerItem(a!, "values"), isPerItem(b!, "where"), isPerItem(b!, "items"), isPerItem(c!, "output"), isPerItem(c!, "for_each")]).toEqual([false, true, false, true, false]);
  });

  it("are asked for one at a time", () => {
    expect(itemTemplate("{{ input.rows }}", 3)).toEqual({ item: "{{ (input.rows)[Math.min(3, (input.rows).length - 1)] }}", count: "{{ (input.rows).length }}" });
    expect(itemTemplate("{{ a }} and {{ b }}", 0)).toBeNull();
    expect(itemTemplate([1], 0)).toBeNull();
  });
});

it("samples a large result part by part, and not without end", async () => {
  const whole: { [path: string]: unknown } = { "": { rows: truncated, small: 1 }, "/rows": [truncated, { id: 2 }], "/rows/0": { text: truncated }, "/rows/0/text": { deep: truncated } };
  const asked: string[] = [];
  const sample = await sampleLarge(async (path) => {
    asked.push(path);
    return { value: whole[path], type: "object" };
  });
  expect(sample).toEqual({ rows: [{ text: { deep: "{" } }, { id: 2 }], small: 1 });
  expect(asked).toEqual(["", "/rows", "/rows/0", "/rows/0/text"]);
  expect([isTruncated(truncated), isTruncated({ truncated: true }), isTruncated(null)]).toEqual([true, false, false]);
});

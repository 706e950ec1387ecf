import { describe, expect, it } from "vitest";

import type { TaskType } from "../../api/client";
import type { WorkflowDocument } from "../../graph/document";
import { setField } from "../../graph/edits";
import { edit, startHistory } from "../../graph/history";
import { positionsOf } from "../../graph/layout";
import { boundsOf, NodeFactory, type View } from "./derive";
import type { StepProgress } from "./progress";

const types = new Map(
  [{ type: "conditional", ports: ["true", "false"] }, { type: "noop", ports: [] }].map((type) => [type.type, { title: type.type, dynamic_ports: false, ...type } as unknown as TaskType]),
);
const base: WorkflowDocument = {
  name: "W",
  steps: [
    { id: "a", name: "First", step_type: "noop" },
    { id: "b", step_type: "conditional", depends_on: ["a"] },
    { id: "c", step_type: "noop", depends_on: [{ step: "b", when: "true" }] },
    { id: "d", step_type: "noop", depends_on: [{ step: "b", when: "false" }, { step: "a", when: "error" }] },
  ],
  ui: { notes: [{ id: "n", text: "note", x: 5, y: 6, width: 100, height: 50 }] },
};
const none = new Map<string, never>();
const viewOf = (document: WorkflowDocument, more: Partial<View> = {}): View => ({ document, positions: positionsOf(document), moved: null, types, selection: new Set(), problems: none, marks: none, progress: null, plan: null, readOnly: false, ...more });
const ran = (status: StepProgress["status"], more: Partial<StepProgress> = {}): StepProgress => ({ status, attempts: 1, startedAt: null, endedAt: null, nextAttemptAt: null, error: null, items: null, ...more });

describe("nodes", () => {
  it("stay the same objects but for the step that was edited", () => {
    const factory = new NodeFactory();
    const before = factory.makeNodes(viewOf(base));
    const next = edit(startHistory(base), "", setField("a", "name", "Other")).document;
    const after = factory.makeNodes(viewOf(next));
    expect(after.filter((node, index) => node !== before[index]).map(({ id }) => id)).toEqual(["a"]);
    const chosen = factory.makeNodes(viewOf(next, { selection: new Set(["c"]) }));
    expect(chosen.filter((node, index) => node !== after[index]).map(({ id }) => id)).toEqual(["c"]);
  });

  it("know their size and handles before they are drawn", () => {
    const nodes = new Map(new NodeFactory().makeNodes(viewOf(base)).map((node) => [node.id, node]));
    expect(nodes.get("a")!.handles!.map(({ id }) => id)).toEqual(["in", "out", "port:error"]); // the error port shows because it is wired
    expect(nodes.get("b")!.handles!.map(({ id }) => id)).toEqual(["in", "port:true", "port:false"]);
    expect(nodes.get("b")!.height).toBe(48 + 2 * 16);
    expect(nodes.get("note:n")!.position).toEqual({ x: 5, y: 6 });
    expect(nodes.has("trigger:")).toBe(true); // started by hand
  });

  it("are told to those who do not see them", () => {
    const nodes = new NodeFactory().makeNodes(viewOf(base, { progress: new Map([["d", ran("failed")]]), problems: new Map([["d", 2]]) }));
    expect(nodes.find(({ id }) => id === "d")!.ariaLabel).toBe("d, noop, after b false, a error, 2 problems, failed");
  });

  it("are somewhere, also when there are none", () => {
    expect(boundsOf([])).toEqual({ x: 0, y: 0, width: 0, height: 0 });
    expect(boundsOf(new NodeFactory().makeNodes(viewOf(base))).width).toBeGreaterThan(3 * 176);
  });
});

describe("edges", () => {
  const states = (progress: Record<string, StepProgress>, plan: View["plan"] = null) =>
    Object.fromEntries(new NodeFactory().makeEdges(viewOf(base, { progress: new Map(Object.entries(progress)), plan }), new Set()).map(({ id, data }) => [id, data!.state]));

  it("tell which way was taken", () => {
    expect(states({ a: ran("completed"), b: ran("completed"), c: ran("completed"), d: ran("skipped") })).toEqual({ "trigger:>a": "taken", "a:>b": "taken", "b:true>c": "taken", "b:false>d": "dead", "a:error>d": "dead" });
    expect(states({ a: ran("failed", { error: "x" }), d: ran("running") })["a:error>d"]).toBe("taken");
    expect(states({ a: ran("completed"), b: ran("running") })["a:>b"]).toBe("active");
    expect(states({ a: ran("running") })["a:>b"]).toBe("rest");
  });

  it("show what would run above what was", () => {
    expect(states({ a: ran("completed"), b: ran("completed") }, new Map([["b", 1]]))["a:>b"]).toBe("plan");
  });

  it("carry how many items went along", () => {
    const edges = new NodeFactory().makeEdges(viewOf(base, { progress: new Map([["a", ran("completed", { items: { done: 7, failed: 0, all: 7 } })], ["b", ran("completed")]]) }), new Set());
    expect(edges.find(({ id }) => id === "a:>b")!.data!.count).toBe(7);
  });

  it("stay the same objects while nothing about them changes", () => {
    const factory = new NodeFactory();
    const before = factory.makeEdges(viewOf(base), new Set());
    const after = factory.makeEdges(viewOf(edit(startHistory(base), "", setField("a", "name", "x")).document), new Set(["a:>b"]));
    expect(after.filter((edge, index) => edge !== before[index]).map(({ id }) => id)).toEqual(["a:>b"]);
  });
});

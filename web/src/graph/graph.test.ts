import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { copySteps, pasteClip, readClip } from "./clipboard";
import { completePath, sampleOf } from "./completion";
import { diffDocuments } from "./diff";
import { downstreamOf, edgeId, edgesOf, freeStepId, parseEdgeId, stepIds, upstreamOf, wouldCycle, type Point, type WorkflowDocument } from "./document";
import * as edits from "./edits";
import { edit, redo, startHistory, undo, type History } from "./history";
import { align, columnsOf, positionsOf } from "./layout";
import { neighbour } from "./navigate";
import { stepsReadBy } from "./references";
import { attemptTimes } from "./reliability";
import { tell } from "./telling";
import { buildTimeline, criticalPath, type JournalEntry } from "./timeline";

const onboarding: WorkflowDocument = {
  name: "Onboarding",
  triggers: [{ id: "signup", trigger_type: "webhook", trigger_config: { path: "user-signup" } }],
  steps: [
    { id: "welcome", step_type: "send_email", config: { to: "{{ input.email }}" } },
    { id: "crm", step_type: "http_request", depends_on: ["welcome"], config: { method: "POST", url: "{{ vars.crm_url }}/contacts" } },
    { id: "vip", step_type: "conditional", depends_on: ["crm"], config: { condition: "{{ steps.crm.output.data.score > 80 }}" } },
    { id: "notify", step_type: "http_request", depends_on: [{ step: "vip", when: "true" }], config: { json: { text: '{{ steps["crm"].output.id }} {{ steps.crm_2 }}' } } },
  ],
  output: "{{ steps.crm.output.data }}",
};

/** A random graph without cycles: each step may need any of those before it. */
const graphs = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 20 })
  .map((needs): WorkflowDocument => ({
    name: "random",
    steps: needs.map((sources, index) => {
      const ids = [...new Set(sources.map((source) => `s${source % Math.max(1, index)}`))];
      return { id: `s${index}`, step_type: "noop", ...(index > 0 && ids.length > 0 ? { depends_on: ids } : {}) };
    }),
  }));

type Action = (document: WorkflowDocument) => edits.Recipe;
const pickStep = (document: WorkflowDocument, n: number) => document.steps[n % Math.max(1, document.steps.length)]?.id ?? "none";
const actions: fc.Arbitrary<Action> = fc.oneof(
  fc.nat().map((n): Action => (document) => edits.addStep({ id: freeStepId(stepIds(document), "new step"), step_type: "log" }, [n % 500, n % 300], document.steps.length > 0 ? { source: pickStep(document, n), port: null } : undefined)),
  fc.tuple(fc.nat(), fc.boolean()).map(([n, reconnect]): Action => (document) => edits.removeSteps(new Set([pickStep(document, n)]), reconnect)),
  fc.tuple(fc.nat(), fc.nat()).map(([a, b]): Action => (document) => {
    const [source, target] = [pickStep(document, a), pickStep(document, b)];
    return wouldCycle(document, source, target) ? () => {} : edits.connect({ source, port: null, target });
  }),
  fc.nat().map((n): Action => (document) => edits.disconnect(edgesOf(document).slice(n % 3, (n % 3) + 1))),
  fc.tuple(fc.nat(), fc.string()).map(([n, text]): Action => (document) => edits.setConfig(pickStep(document, n), "message", text || undefined)),
  fc.tuple(fc.nat(), fc.string()).map(([n, text]): Action => (document) => edits.setField(pickStep(document, n), "name", text || undefined)),
  fc.nat().map((n): Action => (document) => edits.toggleDisabled([pickStep(document, n)])),
  fc.tuple(fc.nat(), fc.integer({ min: -500, max: 500 })).map(([n, x]): Action => (document) => edits.moveTo(new Map([[pickStep(document, n), [x, -x] as Point]]))),
  fc.nat().map((n): Action => (document) => edits.pin(pickStep(document, n), n % 2 === 0 ? { n } : undefined)),
  fc.nat().map((n): Action => (document) => edits.changeStepId(pickStep(document, n), freeStepId(stepIds(document), "renamed"))),
  fc.nat().map((n): Action => (document) => (draft) => {
    // a member of a step, the document's or the canvas's goes and comes back in one edit, and another moves to the end
    const step = draft.steps.find((other) => other.id === pickStep(document, n)) as unknown as Record<string, unknown> | undefined;
    for (const members of [step, draft.ui?.positions as Record<string, unknown> | undefined]) {
      const name = Object.keys(members ?? {}).filter((other) => other !== "id")[n % 3];
      if (!members || name === undefined) continue;
      const value = members[name];
      delete members[name];
      if (n % 2 === 0) members[name] = value;
    }
  }),
  fc.nat().map((n): Action => (document) => edits.replaceDocument({ description: String(n), ...structuredClone(document), steps: [...document.steps].reverse() })),
  fc.nat().map((n): Action => () => edits.addNote({ id: `n${n}`, text: "note", x: n % 400, y: 0, width: 200, height: 80 })),
  fc.nat().map((n): Action => (document) => {
    const edge = edgesOf(document)[n % Math.max(1, edgesOf(document).length)];
    return edge ? edits.insertOnEdge({ id: freeStepId(stepIds(document), "between"), step_type: "noop" }, edge, [0, 0], null, [edge.target]) : () => {};
  }),
  fc.nat().map((n): Action => (document) => pasteClip(readClip(copySteps(document, positionsOf(document), new Set([pickStep(document, n)]))) ?? { format: "flowpilot/clip@1", steps: [], positions: {} }, document, [0, 0], n % 2 === 0).recipe),
);

describe("history", () => {
  it("undone entirely is the beginning, redone entirely the end, byte for byte, whatever was done", () => {
    fc.assert(
      fc.property(graphs, fc.array(fc.tuple(actions, fc.boolean()), { maxLength: 60, size: "max" }), (document, list) => {
        const before = JSON.stringify(document);
        let history: History = startHistory(document);
        for (const [index, [action, joined]] of list.entries()) history = edit(history, String(index), action(history.document), joined ? "same" : undefined, 0);
        const end = JSON.stringify(history.document);
        const count = history.past.length;
        for (let n = 0; n < count; ++n) history = undo(history);
        expect(JSON.stringify(history.document)).toBe(before);
        for (let n = 0; n < count; ++n) history = redo(history);
        expect(JSON.stringify(history.document)).toBe(end);
      }),
      { numRuns: Number(process.env.FLOWPILOT_EDIT_RUNS ?? 340) }, // about 10,000 edits
    );
  });

  it("joins the keystrokes of one field and nothing else", () => {
    let history = startHistory(onboarding);
    for (const text of ["H", "He", "Hey"]) history = edit(history, "type", edits.setField("crm", "name", text), "crm/name", 1000);
    expect(history.past).toHaveLength(1);
    history = edit(history, "type", edits.setField("crm", "name", "Later"), "crm/name", 9000);
    expect(history.past).toHaveLength(2);
    history = undo(undo(history));
    expect(history.document.steps[1]!.name).toBeUndefined();
    expect(edit(history, "nothing", () => {})).toBe(history);
  });

  it("leaves untouched steps the very same objects", () => {
    const history = edit(startHistory(onboarding), "rename", edits.setField("crm", "name", "CRM"));
    expect(history.document.steps[0]).toBe(onboarding.steps[0]);
    expect(history.document.steps[1]).not.toBe(onboarding.steps[1]);
  });
});

const apply = (document: WorkflowDocument, recipe: edits.Recipe): WorkflowDocument => edit(startHistory(document), "", recipe).document;
const needs = (document: WorkflowDocument, id: string) => document.steps.find((step) => step.id === id)?.depends_on;

describe("edits", () => {
  it("never close a circle by connecting where it is allowed", () => {
    fc.assert(
      fc.property(graphs, fc.nat(), fc.nat(), (document, a, b) => {
        const [source, target] = [pickStep(document, a), pickStep(document, b)];
        if (wouldCycle(document, source, target)) return;
        const next = apply(document, edits.connect({ source, port: null, target }));
        for (const { id } of next.steps) expect(upstreamOf(next, id).has(id)).toBe(false);
        expect(upstreamOf(next, target).has(source)).toBe(true);
      }),
    );
  });

  it("reconnect around a deleted step, keeping the port of the wire that led to it", () => {
    const without = apply(onboarding, edits.removeSteps(new Set(["crm", "vip"]), true));
    expect(needs(without, "notify")).toEqual(["welcome"]);
    expect(needs(apply(onboarding, edits.removeSteps(new Set(["vip"]), false)), "notify")).toBeUndefined();
    fc.assert(
      fc.property(graphs, fc.nat(), (document, n) => {
        const id = pickStep(document, n);
        const [up, down] = [upstreamOf(document, id), downstreamOf(document, id)];
        const next = apply(document, edits.removeSteps(new Set([id]), true));
        for (const source of up) for (const target of down) expect(upstreamOf(next, target).has(source)).toBe(true);
        for (const edge of edgesOf(next)) expect([edge.source, edge.target]).not.toContain(id);
      }),
    );
  });

  it("insert on an edge and keep its port", () => {
    const next = apply(onboarding, edits.insertOnEdge({ id: "wait", step_type: "delay" }, { source: "vip", port: "true", target: "notify" }, [10, 10], null, []));
    expect(needs(next, "wait")).toEqual([{ step: "vip", when: "true" }]);
    expect(needs(next, "notify")).toEqual(["wait"]);
  });

  it("rewrite every reference when an id changes, and only that one", () => {
    const next = apply(onboarding, edits.changeStepId("crm", "hubspot"));
    expect(needs(next, "vip")).toEqual(["hubspot"]);
    expect(next.output).toBe("{{ steps.hubspot.output.data }}");
    expect(next.steps[3]!.config).toEqual({ json: { text: '{{ steps["hubspot"].output.id }} {{ steps.crm_2 }}' } });
    expect(next.steps[2]!.config).toEqual({ condition: "{{ steps.hubspot.output.data.score > 80 }}" });
  });

  it("take over another document and keep what is the same", () => {
    const other = structuredClone(onboarding);
    other.steps[1]!.name = "CRM";
    const next = apply(onboarding, edits.replaceDocument(other));
    expect(next).toEqual(other);
    expect(next.steps[0]).toBe(onboarding.steps[0]);
  });
});

describe("clipboard", () => {
  it("pastes with new ids, wires and references among the pasted, none to elsewhere", () => {
    const text = copySteps(onboarding, positionsOf(onboarding), new Set(["crm", "vip"]));
    const { recipe, ids } = pasteClip(readClip(text)!, onboarding, [100, 100], false);
    const next = apply(onboarding, recipe);
    expect(ids).toEqual(["crm_2", "vip_2"]);
    expect(needs(next, "crm_2")).toBeUndefined();
    expect(needs(next, "vip_2")).toEqual(["crm_2"]);
    expect(next.steps.at(-1)!.config).toEqual({ condition: "{{ steps.crm_2.output.data.score > 80 }}" });
    expect(needs(apply(onboarding, pasteClip(readClip(text)!, onboarding, [0, 0], true).recipe), "crm_2")).toEqual(["welcome"]);
  });

  it("reads whole documents and refuses anything else", () => {
    expect(readClip(JSON.stringify(onboarding))!.steps).toHaveLength(4);
    for (const text of ["", "hello", "{}", "[]", '{"steps": [1]}', "null", '{"steps": {}}']) expect(readClip(text)).toBeNull();
  });
});

describe("layout and moving about", () => {
  it("puts every step right of what it needs, no two on one spot", () => {
    fc.assert(
      fc.property(graphs, (document) => {
        const columns = columnsOf(document);
        for (const { source, target } of edgesOf(document)) expect(columns.get(target)!).toBeGreaterThan(columns.get(source)!);
        const spots = document.steps.map((step) => positionsOf(document).get(step.id)!.join());
        expect(new Set(spots).size).toBe(spots.length);
      }),
    );
  });

  it("survives documents that name steps which are not there, or each other in a circle", () => {
    const broken: WorkflowDocument = { name: "x", steps: [{ id: "a", step_type: "noop", depends_on: ["b", "gone"] }, { id: "b", step_type: "noop", depends_on: ["a"] }] };
    expect(positionsOf(broken).size).toBe(3);
    expect(upstreamOf(broken, "a")).toEqual(new Set(["b", "gone"]));
  });

  it("follows wires with left and right", () => {
    const positions = positionsOf(onboarding);
    expect(neighbour(onboarding, positions, "crm", "right")).toBe("vip");
    expect(neighbour(onboarding, positions, "crm", "left")).toBe("welcome");
    expect(neighbour(onboarding, positions, "notify", "right")).toBeNull();
  });

  it("aligns and distributes", () => {
    const boxes = [{ id: "a", x: 0, y: 0, width: 10, height: 10 }, { id: "b", x: 7, y: 40, width: 20, height: 10 }, { id: "c", x: 100, y: 90, width: 10, height: 10 }];
    expect([...align(boxes, "left").values()].map(([x]) => x)).toEqual([0, 0, 0]);
    expect([...align(boxes, "horizontal").values()].map(([x]) => x)).toEqual([0, 45, 100]);
  });

  it("names edges so that they can be read back", () => {
    for (const edge of edgesOf(onboarding)) expect(parseEdgeId(edgeId(edge))).toEqual(edge);
  });
});

describe("what is told", () => {
  it("says what a step does", () => {
    expect(onboarding.steps.map(tell)).toEqual(["to input.email", "POST /contacts", "crm score > 80", "GET "]);
    expect(tell({ id: "d", step_type: "delay", config: { seconds: 259_200 } })).toBe("3 d");
    expect(tell({ id: "e", step_type: "noop", for_each: "{{ input.people }}" })).toBe("each of input.people");
  });

  it("finds what an expression reads", () => {
    expect(stepsReadBy(onboarding.steps[3]!.config)).toEqual(new Set(["crm", "crm_2"]));
    expect(stepsReadBy("steps.crm outside of braces")).toEqual(new Set());
  });

  it("computes when attempts start, as the engine does without jitter", () => {
    expect(attemptTimes(undefined)).toEqual([0]);
    expect(attemptTimes({})).toEqual([0, 1, 3]);
    expect(attemptTimes({ max_attempts: 5, initial_delay_seconds: 10, max_delay_seconds: 60 })).toEqual([0, 10, 30, 70, 130]);
    expect(attemptTimes({ max_attempts: 5, initial_delay_seconds: 10, max_elapsed_seconds: 30 })).toEqual([0, 10, 30]);
  });

  it("compares by step id", () => {
    const other = structuredClone(onboarding);
    other.steps[1]!.config!.url = "http://x";
    other.steps.splice(3, 1);
    other.steps.push({ id: "late", step_type: "log" });
    other.ui = { positions: { crm: [1, 2] } };
    const diff = diffDocuments(onboarding, other);
    expect([[...diff.added], [...diff.removed], [...diff.changed.keys()]]).toEqual([["late"], ["notify"], ["crm"]]);
    expect(diff.changed.get("crm")).toEqual([{ path: "/config/url", before: "{{ vars.crm_url }}/contacts", after: "http://x" }]);
  });
});

describe("completion", () => {
  const scope = { input: { email: "a@b.c", "odd name": 1 }, steps: { crm: { output: { data: [{ score: 1 }] } } }, vars: {} };
  const labels = (text: string) => completePath(text, scope)?.options.map((option) => option.label);

  it("offers what is really there", () => {
    expect(labels("{{ ")).toEqual(["input", "steps", "vars"]);
    expect(labels("{{ input.")).toEqual(["email"]);
    expect(labels("Hello {{ steps.crm.ou")).toEqual(["output"]);
    expect(labels("{{ steps.crm.output.data[0].")).toEqual(["score"]);
    expect(labels("{{ input.email.nothing.")).toEqual([]);
    expect(labels("no expression")).toBeUndefined();
    expect(labels("{{ done }} after")).toBeUndefined();
  });

  it("makes samples of schemas", () => {
    expect(sampleOf({ type: "object", properties: { id: { type: "integer" }, tags: { type: "array", items: { type: "string" } } } })).toEqual({ id: null, tags: [null] });
  });
});

describe("timeline", () => {
  const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
  const event = (seq: number, seconds: number, type: string, step: string | null, data: Record<string, unknown> = {}, attempt: number | null = 1): JournalEntry => ({ seq, at: at(seconds), type, step, index: null, attempt, data });

  it("splits waiting for a worker, running, failing and waiting to retry", () => {
    const { lanes, start, end } = buildTimeline(
      [
        event(1, 0, "execution_started", null),
        event(2, 0, "attempt_scheduled", "a"),
        event(3, 3, "attempt_failed", "a", { started_at: 1000 }),
        event(4, 5, "attempt_scheduled", "a", {}, 2),
        event(5, 6, "task_completed", "a", { started_at: 5000 }, 2),
        event(6, 6, "task_skipped", "b"),
        event(7, 6, "execution_ended", null),
      ],
    );
    expect([start, end]).toEqual([0, 6000]);
    expect(lanes[0]!.spans.map(({ kind, from, to }) => [kind, from, to])).toEqual([["queue", 0, 1000], ["fail", 1000, 3000], ["retry", 3000, 5000], ["run", 5000, 6000]]);
    expect(lanes[1]).toMatchObject({ step: "b", ended: "skipped", spans: [] });
  });

  it("finds the critical path", () => {
    const timeline = buildTimeline([event(1, 0, "execution_started", null), ...["a", "b", "c"].flatMap((step, index) => [event(2, 0, "attempt_scheduled", step), event(3, [1, 5, 7][index]!, "task_completed", step)])]);
    expect(criticalPath(timeline, (step) => (step === "c" ? ["a", "b"] : []))).toEqual(new Set(["c", "b"]));
  });
});

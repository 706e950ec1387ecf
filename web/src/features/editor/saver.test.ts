import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Workflow } from "../../api/client";
import { setField } from "../../graph/edits";
import { problem, serve, type Call } from "../../test_kit";
import { Saver } from "./saver";
import { createEditor, type Editor } from "./store";

const workflow = (change: object = {}): Workflow => ({ id: "w", revision: 1, name: "W", steps: [{ id: "a", step_type: "noop" }], issues: [], ...change }) as unknown as Workflow;

describe("saving a draft", () => {
  let editor: Editor;
  let saver: Saver;
  let calls: Call[];
  let revision: number;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    revision = 1;
    calls = serve(({ body }) => ({ body: { ...workflow(body as object), revision: ++revision } }));
    editor = createEditor(workflow());
    saver = new Saver(editor);
  });
  afterEach(() => {
    saver.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const name = (text: string): void => editor.edit("rename", setField("a", "name", text));
  const puts = (): Call[] => calls.filter(({ method }) => method === "PUT");
  const state = () => editor.getState();

  it("waits for a quiet moment, and names the revision it stands on", async () => {
    name("one");
    expect(state().saveState).toBe("kept");
    await vi.advanceTimersByTimeAsync(500);
    name("two");
    await vi.advanceTimersByTimeAsync(500);
    expect(puts()).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(puts()).toHaveLength(1);
    expect(puts()[0]!.headers.get("if-match")).toBe('"1"');
    expect(puts()[0]!.body).toMatchObject({ steps: [{ id: "a", name: "two" }] });
    expect([state().saveState, state().revision]).toEqual(["saved", 2]);
  });

  it("waits no longer than two seconds, however long one types", async () => {
    for (let n = 0; n < 20; ++n) {
      name(`letter ${n}`);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(puts().length).toBeGreaterThanOrEqual(1);
  });

  it("saves again what was edited while it saved, on the new revision", async () => {
    let answer: (() => void) | undefined;
    calls = serve(({ body }) => new Promise((done) => (answer = () => done({ body: { ...workflow(body as object), revision: ++revision } }))));
    name("one");
    await vi.advanceTimersByTimeAsync(700);
    name("two");
    answer!();
    await vi.advanceTimersByTimeAsync(0);
    expect(state().saveState).toBe("kept");
    await vi.advanceTimersByTimeAsync(700);
    answer!();
    await vi.advanceTimersByTimeAsync(0);
    expect(puts().map(({ headers, body }) => [headers.get("if-match"), (body as { steps: { name: string }[] }).steps[0]!.name])).toEqual([['"1"', "one"], ['"2"', "two"]]);
    expect(state().saveState).toBe("saved");
  });

  it("never writes over what somebody else saved", async () => {
    const theirs = workflow({ revision: 7, name: "Theirs" });
    calls = serve(({ method }) => (method === "PUT" ? problem(412, "revision.changed") : { body: theirs }));
    name("mine");
    await vi.advanceTimersByTimeAsync(700);
    expect(state().saveState).toBe("conflict");
    expect(state().conflict).toMatchObject({ revision: 7, theirs: { name: "Theirs" } });
    expect(state().history.document.steps[0]!.name).toBe("mine");
    name("more");
    await vi.advanceTimersByTimeAsync(5000);
    expect(puts()).toHaveLength(1);
  });

  it("knows its own save again when the answer was lost", async () => {
    const mine = workflow({ revision: 2, steps: [{ id: "a", step_type: "noop", name: "mine" }] });
    calls = serve(({ method }) => (method === "PUT" ? problem(412, "revision.changed") : { body: mine }));
    name("mine");
    await vi.advanceTimersByTimeAsync(700);
    expect([state().saveState, state().revision, state().conflict]).toEqual(["saved", 2, null]);
  });

  it("tries again when the server is away, and keeps the edit meanwhile", async () => {
    calls = serve(() => new Error("refused"));
    name("mine");
    await vi.advanceTimersByTimeAsync(700);
    expect(state().saveState).toBe("kept");
    calls = serve(({ body }) => ({ body: { ...workflow(body as object), revision: 2 } }));
    await vi.advanceTimersByTimeAsync(3000);
    expect(state().saveState).toBe("saved");
  });

  it("does not repeat what the server refuses, but says it", async () => {
    calls = serve(() => problem(422, "workflow.too_large"));
    name("mine");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(puts()).toHaveLength(1);
    expect(state().saveError).toBe("workflow.too_large happened");
  });
});

import { describe, expect, it } from "vitest";

import type { Task } from "../../api/client";
import { heatOf, ProgressMap, progressOf } from "./progress";

const task = (change: Partial<Task>): Task => ({ id: "t", step: "a", index: null, status: "pending", retry_count: 0, started_at: null, completed_at: null, next_attempt_at: null, error_message: null, ...change }) as Task;
const item = (index: number, status: Task["status"], more: Partial<Task> = {}): Task => task({ id: `t${index}`, index, status, ...more });

describe("the progress of a step", () => {
  it("is its own task's", () => {
    expect(progressOf([task({ status: "retrying", started_at: "2026-01-01T00:00:02Z", retry_count: 2, next_attempt_at: "2026-01-01T00:00:09Z", error_message: "no" })])).toEqual({
      status: "retrying", attempts: 3, startedAt: "2026-01-01T00:00:02Z", endedAt: null, nextAttemptAt: "2026-01-01T00:00:09Z", error: "no", items: null,
    });
  });

  it("counts items and shows the loudest of them", () => {
    const all = [item(0, "completed", { started_at: "2026-01-01T00:00:01Z", completed_at: "2026-01-01T00:00:05Z" }), item(1, "failed", { started_at: "2026-01-01T00:00:00Z", completed_at: "2026-01-01T00:00:02Z", error_message: "bad" })];
    expect(progressOf(all)).toMatchObject({ status: "failed", items: { done: 1, failed: 1, all: 2 }, startedAt: "2026-01-01T00:00:00Z", endedAt: "2026-01-01T00:00:05Z", error: "bad" });
    expect(progressOf([...all, item(2, "running", { started_at: "2026-01-01T00:00:03Z" })])).toMatchObject({ status: "running", endedAt: null, items: { all: 3 } });
    expect(progressOf([...all, task({ status: "completed" })]).status).toBe("completed");
    expect(progressOf([])).toMatchObject({ status: "pending", items: null });
  });

  it("stays the same object while its tasks do", () => {
    const map = new ProgressMap();
    const [a, b] = [task({}), task({ id: "u", step: "b" })];
    const before = map.update([a, b]);
    const after = map.update([{ ...a, status: "running" }, b]);
    expect(after.get("b")).toBe(before.get("b"));
    expect(after.get("a")).not.toBe(before.get("a"));
    expect(map.update([b]).has("a")).toBe(false);
  });
});

it("tells the slow steps from the quick, also those that only wait", () => {
  const done = (started: number | null, ended: number) => progressOf([task({ status: "completed", started_at: started === null ? null : new Date(started).toISOString(), completed_at: new Date(ended).toISOString() })]);
  const steps = [{ id: "a", step_type: "noop" }, { id: "wait", step_type: "delay", depends_on: ["a"] }, { id: "quick", step_type: "noop", depends_on: ["wait"] }, { id: "never", step_type: "noop" }];
  const heat = heatOf(new Map([["a", done(0, 10)], ["wait", done(null, 9010)], ["quick", done(9010, 9010)]]), steps);
  expect(heat.get("wait")).toBe(1);
  expect(heat.get("a")).toBeGreaterThan(0);
  expect([heat.get("quick"), heat.has("never")]).toEqual([0, false]);
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Execution } from "../../api/client";
import type { LiveMessage } from "../../api/live";
import { applyMessages } from "./apply_messages";

const snapshot = { type: "snapshot", seq: 1, id: "e", status: "running", tasks: [{ id: "a", step: "a", status: "queued" }, { id: "b", step: "b", status: "pending" }] } as LiveMessage;
const update = (task_id: string, status: string): LiveMessage => ({ type: "task_update", task_id, step: task_id, status });

describe("messages of a feed", () => {
  it("are nothing before a snapshot", () => {
    expect(applyMessages(null, [update("a", "running")])).toBeNull();
    expect(applyMessages(null, [snapshot])).toMatchObject({ id: "e", status: "running" });
  });

  it("change the tasks they name, and leave the others the same objects", () => {
    const before = applyMessages(null, [snapshot])!;
    const after = applyMessages(before, [update("a", "running"), update("a", "completed"), update("new", "queued"), { type: "log" }])!;
    expect(after.tasks.map(({ id, status }) => [id, status])).toEqual([["a", "completed"], ["b", "pending"], ["new", "queued"]]);
    expect(after.tasks[1]).toBe(before.tasks[1]);
    expect(before.tasks[0]!.status).toBe("queued");
    expect(applyMessages(before, [{ type: "log" }])).toBe(before);
  });

  it("come to the same one by one or many at once", () => {
    const messages = fc.oneof(
      fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom("running", "completed", "failed")).map(([id, status]) => update(id, status)),
      fc.constantFrom("running", "completed").map((status): LiveMessage => ({ type: "execution_update", status })),
      fc.constant(snapshot),
    );
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 30 }), (list) => {
        let one: Execution | null = null;
        for (const message of list) one = applyMessages(one, [message]);
        expect(applyMessages(null, list)).toEqual(one);
      }),
    );
  });
});

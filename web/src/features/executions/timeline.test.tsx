import { fireEvent, screen } from "@testing-library/react";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";

import type { JournalEvent, Task } from "../../api/client";
import { buildTimeline, TimelineBuilder, timelineOfTasks, type JournalEntry } from "../../graph/timeline";
import { show } from "../../test_kit";
import { TimelineView } from "./timeline_view";

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const entry = (seq: number, type: string, step: string | null, attempt = 1): JournalEntry => ({ seq, at: at(seq), type, step, index: null, attempt, data: {} });

describe("a time line", () => {
  it("is the same built at once or as events come", () => {
    const types = ["attempt_scheduled", "attempt_failed", "task_waiting", "task_completed", "task_failed", "task_skipped", "execution_ended", "execution_reopened"];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...types), fc.constantFrom("a", "b", "c")), { maxLength: 40 }), fc.nat(40), (list, cut) => {
        const events = list.map(([type, step], index) => entry(index + 1, type, type.startsWith("execution") ? null : step));
        const builder = new TimelineBuilder();
        builder.update(events.slice(0, cut));
        expect(builder.update(events)).toEqual(buildTimeline(events));
        expect(builder.update(events.slice(0, 1))).toEqual(buildTimeline(events.slice(0, 1))); // another execution
      }),
    );
  });

  it("is told by the tasks until the journal is there", () => {
    const line = timelineOfTasks(
      [
        { step: "b", index: null, status: "running", started_at: at(5), completed_at: null },
        { step: "a", index: null, status: "failed", started_at: at(1), completed_at: at(4) },
        { step: "c", index: null, status: "pending", started_at: null, completed_at: null },
      ],
      at(0),
    );
    expect(line.lanes.map(({ step, to }) => [step, to === null])).toEqual([["a", false], ["b", true]]);
    expect(line.lanes[0]!.spans[0]!.kind).toBe("fail");
    expect([line.start, line.end]).toEqual([Date.parse(at(0)), Date.parse(at(5))]);
  });
});

describe("the view of it", () => {
  const document = { name: "W", steps: [{ id: "a", name: "First", step_type: "noop" }, { id: "b", name: "Second", step_type: "noop", depends_on: ["a"] }] };
  const tasks = [{ id: "1", step: "a", index: null, status: "completed", started_at: at(1), completed_at: at(3) }, { id: "2", step: "b", index: null, status: "skipped", started_at: null, completed_at: null }] as Task[];
  const events = [entry(1, "attempt_scheduled", "a"), entry(2, "attempt_failed", "a"), entry(3, "attempt_scheduled", "a", 2), entry(4, "task_completed", "a", 2)] as unknown as JournalEvent[];

  it("has a row for each step, told in words as well", () => {
    const onSelect = vi.fn();
    show(<TimelineView journal={{ events, complete: true, error: null }} startedAt={at(0)} tasks={tasks} document={document} running={false} selected={null} onSelect={onSelect} />);
    const rows = screen.getAllByRole("row");
    expect(rows.map((row) => row.textContent)).toEqual([expect.stringContaining("First"), expect.stringContaining("Second")]);
    expect(rows[0]!.textContent).toContain("fails 1.0 s");
    expect(rows[0]!.textContent).toContain("attempt 2");
    expect(rows[1]!.textContent).toContain("skipped");
    fireEvent.click(screen.getByRole("gridcell", { name: /Second/ }));
    expect(onSelect).toHaveBeenCalledWith("b");
  });

  it("does not wait for a long journal", () => {
    show(<TimelineView journal={{ events: events.slice(0, 1), complete: false, error: null }} startedAt={at(0)} tasks={tasks} document={document} running={false} selected={null} onSelect={() => {}} />);
    expect(screen.getAllByRole("row")[0]!.textContent).toContain("runs 2.0 s");
  });
});

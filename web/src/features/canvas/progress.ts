/** What an execution says about each step, made from its tasks: several tasks for a `for_each` step, one otherwise. */
import type { Task } from "../../api/client";
import type { AnyStatus } from "../../ui/status";

export type StepProgress = {
  status: AnyStatus;
  attempts: number; // used so far, of the task that used most
  startedAt: string | null;
  endedAt: string | null;
  nextAttemptAt: string | null;
  error: string | null;
  items: { done: number; failed: number; all: number } | null;
};

/** Statuses from the loudest to the quietest: what a step with many items shows. */
const loudness: AnyStatus[] = ["running", "retrying", "queued", "waiting", "failed", "cancelled", "completed", "pending", "skipped"];

export function progressOf(tasks: readonly Task[]): StepProgress {
  const items = tasks.filter((task) => task.index !== null);
  const whole = tasks.find((task) => task.index === null);
  const status = whole?.status ?? loudness.find((candidate) => tasks.some((task) => task.status === candidate)) ?? "pending";
  const started = tasks.flatMap((task) => (task.started_at ? [task.started_at] : [])).sort();
  const ended = tasks.flatMap((task) => (task.completed_at ? [task.completed_at] : [])).sort();
  return {
    status,
    attempts: Math.max(0, ...tasks.map((task) => (task.started_at ? task.retry_count + 1 : 0))),
    startedAt: started[0] ?? null,
    endedAt: ended.length === tasks.length ? (ended.at(-1) ?? null) : null,
    nextAttemptAt: tasks.find((task) => task.next_attempt_at)?.next_attempt_at ?? null,
    error: (whole ?? tasks.find((task) => task.error_message))?.error_message ?? null,
    items:
      items.length > 0
        ? { done: items.filter((task) => task.status === "completed").length, failed: items.filter((task) => task.status === "failed").length, all: items.length }
        : null,
  };
}

/** Progress of every step; keeps the object of a step whose tasks are the same as before, so that only changed steps are drawn anew. */
export class ProgressMap {
  private before = new Map<string, { tasks: Task[]; progress: StepProgress }>();

  update(tasks: readonly Task[]): Map<string, StepProgress> {
    const grouped = new Map<string, Task[]>();
    for (const task of tasks) {
      const group = grouped.get(task.step);
      if (group) group.push(task);
      else grouped.set(task.step, [task]);
    }
    const next = new Map<string, { tasks: Task[]; progress: StepProgress }>();
    const result = new Map<string, StepProgress>();
    for (const [step, group] of grouped) {
      const old = this.before.get(step);
      const same = old !== undefined && old.tasks.length === group.length && old.tasks.every((task, index) => task === group[index]);
      const entry = same ? old : { tasks: group, progress: progressOf(group) };
      next.set(step, entry);
      result.set(step, entry.progress);
    }
    this.before = next;
    return result;
  }
}

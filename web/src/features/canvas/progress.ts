/** What an execution says about each step, made from its tasks: several tasks for a `for_each` step, one otherwise. */
import type { Task } from "../../api/client";
import { sourceOf, type Step } from "../../graph/document";
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
  // One pass: a step may have 100,000 tasks, and this runs with each change of one of them.
  const found = new Set<AnyStatus>();
  let whole: Task | null = null;
  let [attempts, done, failed, all, ended] = [0, 0, 0, 0, 0];
  let startedAt: string | null = null;
  let endedAt: string | null = null;
  let nextAttemptAt: string | null = null;
  let error: string | null = null;
  for (const task of tasks) {
    found.add(task.status);
    if (task.started_at) {
      attempts = Math.max(attempts, task.retry_count + 1);
      if (startedAt === null || task.started_at < startedAt) startedAt = task.started_at;
    }
    if (task.completed_at) {
      ended += 1;
      if (endedAt === null || task.completed_at > endedAt) endedAt = task.completed_at;
    }
    nextAttemptAt ??= task.next_attempt_at;
    error ??= task.error_message;
    if (task.index === null) {
      whole ??= task;
      continue;
    }
    all += 1;
    if (task.status === "completed") done += 1;
    if (task.status === "failed") failed += 1;
  }
  return {
    status: whole?.status ?? loudness.find((candidate) => found.has(candidate)) ?? "pending",
    attempts,
    startedAt,
    endedAt: ended === tasks.length ? endedAt : null,
    nextAttemptAt,
    error: whole ? whole.error_message : error,
    items: all > 0 ? { done, failed, all } : null,
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

/**
 * How long each step took beside the one that took longest, 0 to 1; logarithmic, as most are quick and few are slow. A step without attempts of its
 * own (a delay, an approval) took from the end of what it needed to its own.
 */
export function heatOf(progress: ReadonlyMap<string, StepProgress>, steps: readonly Step[]): Map<string, number> {
  const took = new Map<string, number>();
  for (const step of steps) {
    const { startedAt, endedAt } = progress.get(step.id) ?? nothing;
    if (!endedAt) continue;
    const before = (step.depends_on ?? []).flatMap((entry) => progress.get(sourceOf(entry))?.endedAt ?? []).sort();
    const from = startedAt ?? before.at(-1) ?? endedAt;
    took.set(step.id, Math.max(0, Date.parse(endedAt) - Date.parse(from)));
  }
  const longest = Math.log1p(Math.max(0, ...took.values()));
  return new Map([...took].map(([step, time]) => [step, longest === 0 ? 0 : Math.log1p(time) / longest]));
}

const nothing = { startedAt: null, endedAt: null };

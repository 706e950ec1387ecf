/** When what ran, from the journal: for each task its spans of waiting for a worker, running, sleeping and waiting to retry. Times in ms. */

export type JournalEntry = { seq: number; at: string; type: string; step: string | null; index: number | null; attempt: number | null; data: Record<string, unknown> };
export type SpanKind = "queue" | "run" | "fail" | "retry" | "sleep";
export type Span = { kind: SpanKind; from: number; to: number | null; attempt: number };
export type Lane = { step: string; index: number | null; spans: Span[]; from: number | null; to: number | null; ended: string | null };
export type Timeline = { start: number; end: number; over: boolean; lanes: readonly Lane[] };

const told = new Set(["attempt_scheduled", "attempt_failed", "attempt_lost", "task_waiting", "task_completed", "task_failed", "task_skipped", "task_cancelled", "items_expanded", "items_ended"]);

export function buildTimeline(events: readonly JournalEntry[]): Timeline {
  return new TimelineBuilder().update(events);
}

/** Adds events to lanes; events come in order and each once. A longer list of the same journal costs only what is new in it. */
export class TimelineBuilder {
  private byTask = new Map<string, Lane>();
  private lanes: Lane[] = [];
  private taken = 0;
  private lastSeq = 0;
  private start = 0;
  private end = 0;
  private over = false;

  update(events: readonly JournalEntry[]): Timeline {
    if (events.length < this.taken || (this.taken > 0 && events[this.taken - 1]!.seq !== this.lastSeq)) {
      this.byTask.clear();
      this.lanes = [];
      this.taken = 0;
      this.over = false;
    }
    if (this.taken === 0 && events[0]) this.start = this.end = Date.parse(events[0].at);
    for (; this.taken < events.length; ++this.taken) this.take(events[this.taken]!);
    this.lastSeq = events.at(-1)?.seq ?? 0;
    this.lanes.sort(inOrder); // next to nothing where they are in order already
    return { start: this.start, end: this.end, over: this.over, lanes: [...this.lanes] };
  }

  private laneOf(event: JournalEntry): Lane {
    const key = `${event.step}/${event.index ?? ""}`;
    let lane = this.byTask.get(key);
    if (!lane) {
      lane = { step: event.step!, index: event.index, spans: [], from: null, to: null, ended: null };
      this.byTask.set(key, lane);
      this.lanes.push(lane);
    }
    return lane;
  }

  private take(event: JournalEntry): void {
    const at = Date.parse(event.at);
    this.end = Math.max(this.end, at);
    if (event.type === "execution_ended") this.over = true;
    if (event.type === "execution_reopened") this.over = false;
    if (event.step === null || !told.has(event.type)) return;
    const lane = this.laneOf(event);
    const startedAt = typeof event.data.started_at === "number" ? event.data.started_at : null;
    if (event.type === "task_skipped") {
      lane.ended = "skipped";
      return;
    }
    lane.from ??= at;
    if (event.type === "attempt_scheduled") {
      close(lane, at);
      lane.spans.push({ kind: "run", from: at, to: null, attempt: event.attempt ?? 1 });
    } else if (event.type === "task_waiting") {
      close(lane, at);
      lane.spans.push({ kind: "sleep", from: at, to: null, attempt: event.attempt ?? 1 });
    } else if (event.type === "items_expanded") {
      lane.spans.push({ kind: "run", from: at, to: null, attempt: 1 });
    } else {
      const failed = event.type === "attempt_failed" || event.type === "attempt_lost" || event.type === "task_failed";
      finish(lane, at, startedAt, failed);
      if (event.type === "attempt_failed" || event.type === "attempt_lost") lane.spans.push({ kind: "retry", from: at, to: null, attempt: event.attempt ?? 1 });
      else {
        lane.to = at;
        lane.ended = event.type === "task_failed" ? "failed" : event.type === "task_cancelled" ? "cancelled" : "completed";
      }
    }
  }
}

function inOrder(a: Lane, b: Lane): number {
  return (a.from ?? Infinity) - (b.from ?? Infinity) || (a.step < b.step ? -1 : a.step > b.step ? 1 : 0) || (a.index ?? -1) - (b.index ?? -1);
}

function close(lane: Lane, at: number): void {
  const last = lane.spans.at(-1);
  if (last && last.to === null) last.to = at;
}

export type TaskTimes = { step: string; index: number | null; status: string; started_at: string | null; completed_at: string | null };

/** What tasks alone tell, until the journal is there: one span each, from the first attempt to the end. */
export function timelineOfTasks(tasks: readonly TaskTimes[], startedAt: string): Timeline {
  const start = Date.parse(startedAt);
  let end = start;
  const lanes: Lane[] = [];
  for (const task of tasks) {
    if (task.started_at === null) continue;
    const from = Date.parse(task.started_at);
    const to = task.completed_at === null ? null : Date.parse(task.completed_at);
    end = Math.max(end, to ?? from);
    lanes.push({ step: task.step, index: task.index, spans: [{ kind: task.status === "failed" ? "fail" : task.status === "waiting" ? "sleep" : "run", from, to, attempt: 1 }], from, to, ended: to === null ? null : task.status });
  }
  return { start, end, over: false, lanes: lanes.sort(inOrder) };
}

/** Ends the running span; what came before the worker took it up was waiting in the queue. */
function finish(lane: Lane, at: number, startedAt: number | null, failed: boolean): void {
  const last = lane.spans.at(-1);
  if (!last || last.to !== null) return;
  if (last.kind === "retry") {
    last.to = at;
    return;
  }
  last.to = at;
  if (last.kind === "run" && failed) last.kind = "fail";
  if (startedAt !== null && startedAt > last.from + 1 && last.kind !== "sleep") {
    const queue: Span = { kind: "queue", from: last.from, to: Math.min(startedAt, at), attempt: last.attempt };
    last.from = queue.to!;
    lane.spans.splice(lane.spans.length - 1, 0, queue);
  }
}

/** Steps on the critical path: from the one that ended last, back over what each waited for longest. */
export function criticalPath(timeline: Timeline, sourcesOf: (step: string) => readonly string[]): Set<string> {
  const ended = new Map<string, number>();
  for (const lane of timeline.lanes) if (lane.to !== null) ended.set(lane.step, Math.max(ended.get(lane.step) ?? 0, lane.to));
  let at: string | null = null;
  for (const [step, time] of ended) if (at === null || time > ended.get(at)!) at = step;
  const path = new Set<string>();
  while (at !== null && !path.has(at)) {
    path.add(at);
    let next: string | null = null;
    for (const source of sourcesOf(at)) if (ended.has(source) && (next === null || ended.get(source)! > ended.get(next)!)) next = source;
    at = next;
  }
  return path;
}

/** Round steps for an axis of about `count` ticks: 1, 2 or 5 times a power of ten milliseconds. */
export function ticks(span: number, count: number): number[] {
  const rough = Math.max(1, span / count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step);
}

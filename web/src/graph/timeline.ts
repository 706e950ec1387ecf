/** When what ran, from the journal: for each task its spans of waiting for a worker, running, sleeping and waiting to retry. Times in ms. */

export type JournalEntry = { seq: number; at: string; type: string; step: string | null; index: number | null; attempt: number | null; data: Record<string, unknown> };
export type SpanKind = "queue" | "run" | "fail" | "retry" | "sleep";
export type Span = { kind: SpanKind; from: number; to: number | null; attempt: number };
export type Lane = { step: string; index: number | null; spans: Span[]; from: number | null; to: number | null; ended: string | null };
export type Timeline = { start: number; end: number; lanes: Lane[] };

/** Adds events to lanes; events come in order and each once. */
export function buildTimeline(events: readonly JournalEntry[], now: number): Timeline {
  const lanes = new Map<string, Lane>();
  const laneOf = (event: JournalEntry): Lane => {
    const key = `${event.step}/${event.index ?? ""}`;
    let lane = lanes.get(key);
    if (!lane) lanes.set(key, (lane = { step: event.step!, index: event.index, spans: [], from: null, to: null, ended: null }));
    return lane;
  };
  const close = (lane: Lane, at: number): void => {
    const last = lane.spans.at(-1);
    if (last && last.to === null) last.to = at;
  };
  const start = events[0] ? Date.parse(events[0].at) : now;
  let end = start;
  let over = false;
  for (const event of events) {
    const at = Date.parse(event.at);
    end = Math.max(end, at);
    if (event.type === "execution_ended") over = true;
    if (event.type === "execution_reopened") over = false;
    if (event.step === null) continue;
    if (!["attempt_scheduled", "attempt_failed", "attempt_lost", "task_waiting", "task_completed", "task_failed", "task_skipped", "task_cancelled", "items_expanded", "items_ended"].includes(event.type)) continue;
    const lane = laneOf(event);
    const startedAt = typeof event.data.started_at === "number" ? event.data.started_at : null;
    if (event.type === "task_skipped") {
      lane.ended = "skipped";
      continue;
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
  if (!over) end = Math.max(end, now);
  const list = [...lanes.values()].sort((a, b) => (a.from ?? Infinity) - (b.from ?? Infinity) || a.step.localeCompare(b.step) || (a.index ?? -1) - (b.index ?? -1));
  return { start, end, lanes: list };
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

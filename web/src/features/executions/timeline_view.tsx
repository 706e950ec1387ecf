/** The timeline: one row a task, rows of one height, only those on screen drawn; kinds differ by pattern as well as by colour. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";

import type { Task } from "../../api/client";
import { findStep, sourceOf, type WorkflowDocument } from "../../graph/document";
import { criticalPath, ticks, timelineOfTasks, TimelineBuilder, type JournalEntry, type Lane, type Span } from "../../graph/timeline";
import { formatDuration } from "../../lib/format";
import { useNow } from "../../lib/hooks";
import { t } from "../../text";
import { StatusGlyph, type AnyStatus } from "../../ui/status";
import type { Journal } from "./use_execution";

const rowHeight = 28;
const barClass = { queue: "bar queue", run: "bar run", fail: "bar run bad", retry: "bar rwait", sleep: "bar sleep" } as const;

type Props = { journal: Journal; startedAt: string; tasks: readonly Task[]; document: WorkflowDocument; running: boolean; selected: string | null; onSelect: (step: string) => void };

export function TimelineView({ journal, startedAt, tasks, document, running, selected, onSelect }: Props) {
  const now = useNow(running, 250);
  const builder = useRef(new TimelineBuilder());
  // The tasks are here already; the journal, which tells attempts and waits apart, may take a moment where there are many.
  const fromTasks = useMemo(() => (journal.complete ? null : timelineOfTasks(tasks, startedAt)), [journal.complete, tasks, startedAt]);
  const timeline = useMemo(() => fromTasks ?? builder.current.update(journal.events as unknown as JournalEntry[]), [fromTasks, journal.events]);
  const end = running && !timeline.over ? Math.max(timeline.end, now) : timeline.end;
  const critical = useMemo(() => criticalPath(timeline, (step) => (findStep(document, step)?.depends_on ?? []).map(sourceOf)), [timeline, document]);
  const rows = useMemo((): Lane[] => {
    const seen = new Set(timeline.lanes.map((lane) => lane.step));
    return [...timeline.lanes, ...document.steps.filter((step) => !seen.has(step.id)).map((step): Lane => ({ step: step.id, index: null, spans: [], from: null, to: null, ended: null }))];
  }, [timeline, document]);
  const statusOf = useMemo(() => new Map(tasks.map((task) => [`${task.step}/${task.index ?? ""}`, task.status])), [tasks]);
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 10 });
  const span = Math.max(1, end - timeline.start);
  const at = (time: number): number => ((time - timeline.start) / span) * 100;
  const marks = ticks(span, 7);
  if (timeline.lanes.length === 0 && tasks.length === 0) return <p className="help data-none">{t.timeline.empty}</p>;
  return (
    <section className="tl timeline" aria-label={t.timeline.label} data-complete={journal.complete}>
      <ul className="legend tl-legend">
        <li><i className="bar queue" />{t.timeline.waits}</li>
        <li><i className="bar run" />{t.timeline.runs}</li>
        <li><i className="bar run bad" />{t.timeline.fails}</li>
        <li><i className="bar rwait" />{t.timeline.waitsRetry}</li>
        <li><i className="bar sleep" />{t.timeline.asleep}</li>
        <li><i className="k-crit" />{t.timeline.critical}</li>
      </ul>
      <div className="tl-axis">
        <span />
        <div>
          {marks.map((mark) => (
            <i key={mark} style={{ left: `${(mark / span) * 100}%` }}>
              {formatDuration(mark)}
            </i>
          ))}
        </div>
      </div>
      <div ref={box} className="tl-scroll" role="grid" aria-label={t.timeline.label} aria-rowcount={rows.length} tabIndex={0}>
        <div style={{ height: virtual.getTotalSize(), position: "relative" }} role="rowgroup">
          {virtual.getVirtualItems().map(({ index, start }) => {
            const lane = rows[index]!;
            const status: AnyStatus = statusOf.get(`${lane.step}/${lane.index ?? ""}`) ?? (lane.ended as AnyStatus | null) ?? "pending";
            const name = findStep(document, lane.step)?.name ?? lane.step;
            return (
              <div key={index} role="row" className={`tl-row${selected === lane.step ? " is-cur" : ""}`} style={{ transform: `translateY(${start}px)`, position: "absolute", insetInline: 0 }} onClick={() => onSelect(lane.step)}>
                <button type="button" role="gridcell" className="tl-name" onClick={() => onSelect(lane.step)}>
                  <StatusGlyph status={status} />
                  <span className="clip">
                    {name}
                    {lane.index !== null && <span className="t3"> {lane.index + 1}</span>}
                  </span>
                  <span className="t3">{lane.from !== null ? formatDuration((lane.to ?? end) - lane.from) : ""}</span>
                </button>
                <div role="gridcell" className="tl-track">
                  <span className="sr">{lane.spans.map(describe).join(", ") || t.timeline.neverRan}</span>
                  {lane.spans.map((part, number) => (
                    <i key={number} className={`${barClass[part.kind]}${part.to === null && part.kind === "run" ? " now" : ""}`} style={{ left: `${at(part.from)}%`, width: `${Math.max(0, at(part.to ?? end) - at(part.from))}%` }} title={describe(part)} />
                  ))}
                  {critical.has(lane.step) && lane.from !== null && <i className="crit" style={{ left: `${at(lane.from)}%`, width: `${at(lane.to ?? end) - at(lane.from)}%` }} />}
                  {lane.spans.length === 0 && <span className="tl-lab">{status === "skipped" ? t.status.skipped : status === "pending" ? "" : t.status[status]}</span>}
                </div>
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

function describe(span: Span): string {
  const what = { queue: t.timeline.waits, run: t.timeline.runs, fail: t.timeline.fails, retry: t.timeline.waitsRetry, sleep: t.timeline.asleep }[span.kind];
  return `${what}${span.to === null ? "" : ` ${formatDuration(span.to - span.from)}`}${span.attempt > 1 ? `, ${t.execution.attempt(span.attempt)}` : ""}`;
}

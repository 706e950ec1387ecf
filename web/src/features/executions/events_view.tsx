/** The journal in sentences, with each event as it is recorded one press away; filtered by words or a regular expression. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { Download } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";

import type { JournalEvent } from "../../api/client";
import { formatMoment, formatNumber } from "../../lib/format";
import { t } from "../../text";
import { Button, CopyButton } from "../../ui/controls";

const rowHeight = 32;

export function EventsView({ id, events, chosen, onChoose }: { id: string; events: readonly JournalEvent[]; chosen: number | null; onChoose: (seq: number | null) => void }) {
  const [text, setText] = useState("");
  const { test, bad } = useMemo(() => matcher(text), [text]);
  const rows = useMemo(() => (text === "" ? events : events.filter((event) => test(`${event.type} ${event.step ?? ""} ${event.text}`))), [events, test, text]);
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 12 });
  const current = rows.find((event) => event.seq === chosen);
  useEffect(() => {
    const index = rows.findIndex((event) => event.seq === chosen);
    if (index >= 0) virtual.scrollToIndex(index, { align: "auto" });
  }, [chosen, rows.length > 0]);
  const download = (): void => {
    const url = URL.createObjectURL(new Blob(events.map((event) => `${JSON.stringify(event)}\n`), { type: "application/jsonl" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `execution-${id}.jsonl`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <section className="events-view" aria-label={t.execution.events}>
      <header className="row log-bar">
        <input className="input grow" type="search" aria-label={t.events.filter} placeholder={t.events.filter} value={text} onChange={(event) => setText(event.target.value)} />
        {bad && <span className="help">{t.events.badPattern}</span>}
        <span className="t3">{formatNumber(rows.length)}</span>
        <Button kind="quiet" icon label={t.events.download} onClick={download}>
          <Download className="icon sm" aria-hidden="true" />
        </Button>
      </header>
      <div className="events-body">
        <div
          ref={box}
          className="events-rows"
          role={rows.length > 0 ? "listbox" : undefined}
          aria-label={rows.length > 0 ? t.execution.events : undefined}
          tabIndex={0}
          onKeyDown={(event) => {
            const at = rows.findIndex((row) => row.seq === chosen);
            const next = event.key === "ArrowDown" || event.key === "j" ? at + 1 : event.key === "ArrowUp" || event.key === "k" ? at - 1 : null;
            if (next === null || !rows[next]) return;
            event.preventDefault();
            onChoose(rows[next].seq);
          }}
        >
          {rows.length === 0 && <p className="help data-none">{t.events.noneFit}</p>}
          <div role="none" style={{ height: virtual.getTotalSize(), position: "relative" }}>
            {virtual.getVirtualItems().map(({ index, start }) => {
              const event = rows[index]!;
              return (
                <div key={event.seq} role="option" aria-selected={event.seq === chosen} className="event-row" style={{ transform: `translateY(${start}px)` }} onClick={() => onChoose(event.seq === chosen ? null : event.seq)}>
                  <span className="t3">{event.seq}</span>
                  <span className="t3 mono">{formatMoment(event.at)}</span>
                  <span className="clip">{event.text}</span>
                  <code className="t3 clip">{event.type}</code>
                </div>
              );
            })}
          </div>
        </div>
        {current && (
          <aside className="event-raw" aria-label={t.events.raw}>
            <header className="row">
              <b className="grow">
                {current.seq} {current.type}
              </b>
              <CopyButton label={t.events.copyLink} text={() => `${location.origin}/executions/${id}?tab=events&event=${current.seq}`} />
              <CopyButton text={() => JSON.stringify(current, null, 2)} />
            </header>
            <pre className="json-text">{JSON.stringify(current, null, 2)}</pre>
          </aside>
        )}
      </div>
    </section>
  );
}

/** A pattern when it is a valid regular expression, plain text otherwise. */
function matcher(text: string): { test: (candidate: string) => boolean; bad: boolean } {
  try {
    const pattern = new RegExp(text, "i");
    return { test: (candidate) => pattern.test(candidate), bad: false };
  } catch {
    const wanted = text.toLowerCase();
    return { test: (candidate) => candidate.toLowerCase().includes(wanted), bad: true };
  }
}

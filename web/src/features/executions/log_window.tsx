/** The lines on screen, of a log that may have a million: rows of one height, placed by number; beyond what browsers can scroll, the bar is scaled. */
import { AnsiUp } from "ansi_up";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

import type { LogLine } from "../../api/client";
import { formatMoment } from "../../lib/format";
import { t } from "../../text";
import type { Level, LogLines } from "./log_lines";

const lineHeight = 20;
const tallest = 12_000_000; // pixels: every browser scrolls these
const [before, ahead] = [20, 300]; // rows drawn beyond the screen; rows fetched beyond it
const wrapped = 2000;

export type LineRange = { from: number; to: number };
type Props = { lines: LogLines; follow: boolean; onFollow: (on: boolean) => void; wrap: boolean; marked: number | null; chosen: LineRange | null; onChoose: (range: LineRange) => void };

/** Which pixel of the whole log is at the top when the bar stands at `scroll`, and back. */
export function scaleOf(rows: number, view: number): { height: number; toTop: (scroll: number) => number; toScroll: (top: number) => number } {
  const full = rows * lineHeight;
  const height = Math.min(full, tallest);
  const ratio = height < full ? (full - view) / Math.max(1, height - view) : 1;
  return { height, toTop: (scroll) => scroll * ratio, toScroll: (top) => top / ratio };
}

export function LogWindow({ lines, follow, onFollow, wrap, marked, chosen, onChoose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [{ scroll, view }, setPlace] = useState({ scroll: 0, view: 0 });
  const { total, at, show, indexOf } = lines;
  const scale = scaleOf(total, view);
  const read = useCallback(() => {
    const element = box.current;
    if (element) setPlace({ scroll: element.scrollTop, view: element.clientHeight });
  }, []);
  useLayoutEffect(() => {
    read();
    const watcher = new ResizeObserver(read);
    watcher.observe(box.current!);
    return () => watcher.disconnect();
  }, [read]);
  useLayoutEffect(() => {
    const element = box.current!;
    if (follow && marked === null) element.scrollTop = element.scrollHeight;
    read();
  }, [follow, marked, total, view, wrap, read]);
  // Older lines were put before those on screen: what one reads stays where it is.
  const first = at(0)?.number ?? 0;
  const known = useRef(first);
  useLayoutEffect(() => {
    const added = known.current > 0 && first < known.current ? indexOf(known.current) : 0;
    known.current = first;
    if (added <= 0 || follow) return;
    box.current!.scrollTop += added * lineHeight;
    read();
  });
  useLayoutEffect(() => {
    const index = marked === null ? -1 : indexOf(marked);
    if (index >= 0 && view > 0) box.current!.scrollTop = scale.toScroll(Math.max(0, index * lineHeight - view / 2));
  }, [marked, total > 0, view > 0]);

  const top = scale.toTop(scroll);
  const from = wrap ? Math.max(0, total - wrapped) : Math.max(0, Math.floor(top / lineHeight) - before);
  const to = wrap ? total - 1 : Math.min(total - 1, Math.ceil((top + view) / lineHeight) + before);
  const asked = useRef({ from: 0, to: 0, timer: 0 });
  useEffect(() => {
    const last = asked.current;
    [last.from, last.to] = [Math.max(0, from - ahead), Math.min(total - 1, to + ahead)];
    last.timer ||= window.setTimeout(() => {
      last.timer = 0;
      if (last.to >= 0) show(last.from, last.to);
    }, 50);
  }, [from, to, total, show]);
  useEffect(() => () => clearTimeout(asked.current.timer), []);

  const shift = top - scroll; // scaled: rows stand beside the bar, not at their own pixel
  const rows = Array.from({ length: Math.max(0, to - from + 1) }, (_, offset) => from + offset);
  const isChosen = (number: number): boolean => chosen !== null && number >= Math.min(chosen.from, chosen.to) && number <= Math.max(chosen.from, chosen.to);
  return (
    <div
      ref={box}
      className="log-lines"
      role="log"
      aria-label={t.logs.label}
      tabIndex={0}
      onScroll={() => {
        const element = box.current!;
        const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 2 * lineHeight;
        if (atEnd !== follow && total > 0) onFollow(atEnd);
        read();
      }}
      onClick={(event) => {
        const row = (event.target as Element).closest<HTMLElement>("[data-line]");
        if (!row || !(globalThis.getSelection()?.isCollapsed ?? true)) return;
        const number = Number(row.dataset.line);
        onChoose(event.shiftKey && chosen ? { from: chosen.from, to: number } : { from: number, to: number });
      }}
    >
      <div style={wrap ? undefined : { height: scale.height, position: "relative" }}>
        {rows.map((index) => {
          const line = at(index);
          const y = wrap ? undefined : index * lineHeight - shift;
          if (!line) return <div key={index} className="log-line log-debug" style={place(y)}>…</div>;
          return <Line key={index} line={line} y={y} current={line.number === marked || isChosen(line.number)} />;
        })}
      </div>
    </div>
  );
}

function place(y: number | undefined): React.CSSProperties | undefined {
  return y === undefined ? undefined : { transform: `translateY(${y}px)`, position: "absolute", insetInline: 0 };
}

function Line({ line, y, current }: { line: LogLine; y: number | undefined; current: boolean }) {
  const level = line.level in t.logs.level ? t.logs.level[line.level as Level] : line.level;
  return (
    <div className={`log-line log-${line.level}${current ? " is-cur" : ""}${y === undefined ? " is-wrap" : ""}`} style={place(y)} data-line={line.number}>
      <span className="t3">{formatMoment(line.at)}</span>
      <span className="log-level">{level.toLowerCase()}</span>
      <span className="log-step clip">
        {line.step}
        {line.index !== null && `[${line.index}]`}
      </span>
      <Ansi text={line.text} />
    </div>
  );
}

const coloured = new AnsiUp();
coloured.use_classes = true;

/** Text with terminal colours; the library escapes everything else. */
function Ansi({ text }: { text: string }) {
  if (!text.includes("\u001b")) return <span className="log-text">{text}</span>;
  return <span className="log-text" dangerouslySetInnerHTML={{ __html: coloured.ansi_to_html(text) }} />;
}

/** The log of an execution: every line on the server searched, only those on screen drawn; follows the end until one scrolls up. */
import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { AnsiUp } from "ansi_up";
import { ArrowDownToLine, WrapText } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { api, unwrap, type LogLine } from "../../api/client";
import { openFeed } from "../../api/live";
import { formatMoment } from "../../lib/format";
import { useSettled } from "../../lib/hooks";
import { t } from "../../text";
import { Button, CopyButton } from "../../ui/controls";
import { ErrorState } from "../../ui/states";

const lineHeight = 20;
const pageSize = 1000;

type Level = "debug" | "info" | "warning" | "error";
type Filter = { step: string | null; level: Level; search: string };

async function fetchLines(id: string, filter: Filter, range: { after?: number; tail?: number }): Promise<{ lines: LogLine[]; next: number | null }> {
  const query = { level: filter.level, limit: pageSize, ...(filter.step ? { step: filter.step } : {}), ...(filter.search ? { search: filter.search } : {}), ...range };
  const page = await unwrap(api.GET("/api/executions/{id}/logs/", { params: { path: { id }, query: query as never } }));
  return { lines: page.results, next: page.next };
}

export function LogView({ id, live, step, compact = false, line }: { id: string; live: boolean; step: string | null; compact?: boolean; line?: number }) {
  const [level, setLevel] = useState<Level>("debug");
  const [text, setText] = useState("");
  const [wrap, setWrap] = useState(false);
  const [follow, setFollow] = useState(true);
  const [lines, setLines] = useState<LogLine[]>([]);
  const [start, setStart] = useState<number | null>(null); // number before the first line held; null: nothing older
  const search = useSettled(text, 200);
  const filter = useMemo((): Filter => ({ step, level, search }), [step, level, search]);
  const box = useRef<HTMLDivElement>(null);
  const newest = useRef(0);

  const first = useQuery({
    queryKey: ["executions", id, "logs", filter, line ?? null],
    queryFn: () => fetchLines(id, filter, line !== undefined ? { after: Math.max(0, line - 200) } : { tail: pageSize }),
    staleTime: 0,
    gcTime: 0,
  });
  useEffect(() => {
    if (!first.data) return;
    setLines(first.data.lines);
    newest.current = first.data.lines.at(-1)?.number ?? 0;
    const oldest = first.data.lines[0]?.number ?? 0;
    setStart(oldest > 1 ? oldest - 1 : null);
  }, [first.data]);

  // Lines that arrive: the feed says that there are some, the server says which of them fit the filter.
  useEffect(() => {
    if (!live || !first.data) return;
    let busy = false;
    let again = false;
    let gone = false;
    const more = async (): Promise<void> => {
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      try {
        do {
          again = false;
          const { lines: found } = await fetchLines(id, filter, { after: newest.current });
          if (gone) return;
          if (found.length > 0) {
            newest.current = found.at(-1)!.number;
            setLines((before) => [...before, ...found].slice(-50_000));
          }
          if (found.length === pageSize) again = true;
        } while (again);
      } catch {
        // the feed tells again
      } finally {
        busy = false;
      }
    };
    const close = openFeed({ path: `/ws/executions/${id}/`, resumable: true, onState: () => {}, onMessage: (message) => (message.type === "log" || message.type === "snapshot" || message.type === "execution_update") && void more() });
    return () => {
      gone = true;
      close();
    };
  }, [id, live, filter, first.data]);

  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => lineHeight, overscan: 20 });
  useEffect(() => {
    if (follow && line === undefined && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [lines.length, follow]);
  useEffect(() => {
    if (line === undefined) return;
    const index = lines.findIndex((candidate) => candidate.number === line);
    if (index >= 0) virtual.scrollToIndex(index, { align: "center" });
  }, [lines.length > 0, line]);

  const older = useCallback(async () => {
    if (start === null) return;
    const from = Math.max(0, start - pageSize);
    const { lines: found } = await fetchLines(id, filter, { after: from });
    const fresh = found.filter((candidate) => candidate.number <= start);
    setLines((before) => [...fresh, ...before]);
    setStart(from > 0 ? from : null);
    requestAnimationFrame(() => virtual.scrollToIndex(fresh.length, { align: "start" }));
  }, [filter, id, start]);

  const onScroll = (): void => {
    const element = box.current!;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 2 * lineHeight;
    if (atEnd !== follow && lines.length > 0) setFollow(atEnd);
  };
  return (
    <section className={compact ? "logs logs-compact" : "logs"} aria-label={t.execution.logs}>
      <header className="row log-bar">
        <select className="input select" aria-label={t.logs.all} value={level} onChange={(event) => setLevel(event.target.value as Level)}>
          {(["debug", "info", "warning", "error"] as const).map((name) => (
            <option key={name} value={name}>
              {name === "debug" ? t.logs.all : `${t.logs.level[name]}${name === "error" ? "" : " +"}`}
            </option>
          ))}
        </select>
        <input className="input grow" type="search" aria-label={t.logs.search} placeholder={t.logs.search} value={text} onChange={(event) => setText(event.target.value)} />
        <Button kind="quiet" icon label={t.logs.follow} aria-pressed={follow} onClick={() => setFollow(!follow)}>
          <ArrowDownToLine className="icon sm" aria-hidden="true" />
        </Button>
        <Button kind="quiet" icon label={t.logs.wrap} aria-pressed={wrap} onClick={() => setWrap(!wrap)}>
          <WrapText className="icon sm" aria-hidden="true" />
        </Button>
        <CopyButton label={t.logs.copyLines} text={() => lines.map(asText).join("\n")} />
      </header>
      {first.error && <ErrorState error={first.error} retry={() => void first.refetch()} />}
      {first.data && lines.length === 0 && <p className="help data-none">{search || level !== "debug" ? t.logs.noneFit : t.logs.empty}</p>}
      <div ref={box} className="log-lines" role="log" aria-label={t.logs.label} tabIndex={0} onScroll={onScroll}>
        {start !== null && (
          <button type="button" className="btn btn-quiet btn-sm" onClick={() => void older()}>
            {t.executions.loadMore}
          </button>
        )}
        {wrap ? (
          lines.slice(-2000).map((entry) => <Line key={entry.number} entry={entry} marked={entry.number === line} wrap />)
        ) : (
          <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
            {virtual.getVirtualItems().map(({ index, start: top }) => (
              <Line key={lines[index]!.number} entry={lines[index]!} top={top} marked={lines[index]!.number === line} />
            ))}
          </div>
        )}
      </div>
      <footer className="log-foot">
        <span role="status">{search ? t.logs.found(lines.length, start !== null) : t.logs.counted(lines.at(-1)?.number ?? 0)}</span>
        <span className="grow" />
        {live && <span className="t3">{t.app.live}</span>}
      </footer>
    </section>
  );
}

function asText(entry: LogLine): string {
  return `${entry.at} ${entry.level} ${entry.step}${entry.index === null ? "" : `[${entry.index}]`} #${entry.attempt} ${entry.text}`;
}

function Line({ entry, top, marked, wrap = false }: { entry: LogLine; top?: number; marked: boolean; wrap?: boolean }) {
  const style = top === undefined ? undefined : { transform: `translateY(${top}px)`, position: "absolute" as const, insetInline: 0 };
  const levelName = entry.level in t.logs.level ? t.logs.level[entry.level as Level] : entry.level;
  return (
    <div className={`log-line log-${entry.level}${marked ? " is-cur" : ""}${wrap ? " is-wrap" : ""}`} style={style} title={formatMoment(entry.at)}>
      <span className="t3">{formatMoment(entry.at)}</span>
      <span className="log-level">{levelName.toLowerCase()}</span>
      <span className="log-step clip">
        {entry.step}
        {entry.index !== null && `[${entry.index}]`}
      </span>
      <Ansi text={entry.text} />
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

/** The log of an execution: every line on the server searched, only those on screen drawn; follows the end until one scrolls up. */
import { ArrowDownToLine, WrapText } from "lucide-react";
import { useMemo, useState } from "react";

import type { LogLine } from "../../api/client";
import { useSettled } from "../../lib/hooks";
import { t } from "../../text";
import { Button, CopyButton } from "../../ui/controls";
import { ErrorState } from "../../ui/states";
import { fetchLines, pageSize, useLogLines, type Level, type LogFilter, type LogLines } from "./log_lines";
import { LogWindow, type LineRange } from "./log_window";

export function LogView({ id, live, step, compact = false, line }: { id: string; live: boolean; step: string | null; compact?: boolean; line?: number }) {
  const [level, setLevel] = useState<Level>("debug");
  const [text, setText] = useState("");
  const [wrap, setWrap] = useState(false);
  const [follow, setFollow] = useState(line === undefined);
  const [chosen, setChosen] = useState<LineRange | null>(null);
  const search = useSettled(text, 200);
  const filter = useMemo((): LogFilter => ({ step, level, search }), [step, level, search]);
  const lines = useLogLines(id, filter, live);
  const copy = async (): Promise<string> => (await linesToCopy(id, filter, lines, chosen)).map(asText).join("\n");
  return (
    <section
      className={compact ? "logs logs-compact" : "logs"}
      aria-label={t.execution.logs}
      onCopy={(event) => {
        if (!chosen || !(globalThis.getSelection()?.isCollapsed ?? true) || (event.target as Element).closest("input")) return;
        event.preventDefault();
        void copy().then((copied) => navigator.clipboard.writeText(copied));
      }}
    >
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
        <CopyButton label={chosen ? t.logs.copyLines : t.logs.copyShown} text={copy} />
      </header>
      {lines.error !== null && <ErrorState error={lines.error} retry={lines.retry} />}
      {lines.ready && lines.total === 0 && <p className="help data-none">{search || level !== "debug" ? t.logs.noneFit : t.logs.empty}</p>}
      <LogWindow key={`${step}/${level}/${search}`} lines={lines} follow={follow} onFollow={setFollow} wrap={wrap} marked={follow ? null : (line ?? null)} chosen={chosen} onChoose={setChosen} />
      <footer className="log-foot">
        <span role="status">{search ? t.logs.found(lines.total, lines.more) : t.logs.counted(lines.newest)}</span>
        <span className="grow" />
        {live && <span className="t3">{t.app.live}</span>}
      </footer>
    </section>
  );
}

const mostCopied = 100_000;

/** The chosen lines, wherever they are; without a choice those that are here, to the newest. */
async function linesToCopy(id: string, filter: LogFilter, lines: LogLines, chosen: LineRange | null): Promise<LogLine[]> {
  if (!chosen) return Array.from({ length: Math.min(lines.total, mostCopied) }, (_, index) => lines.at(Math.max(0, lines.total - mostCopied) + index)).filter((line) => line !== null);
  const [from, to] = [Math.min(chosen.from, chosen.to), Math.max(chosen.from, chosen.to)];
  const copied: LogLine[] = [];
  for (let after = from - 1; copied.length < mostCopied; ) {
    const page = await fetchLines(id, filter, { after });
    copied.push(...page.filter((line) => line.number <= to));
    const last = page.at(-1)?.number ?? to;
    if (page.length < pageSize || last >= to) break;
    after = last;
  }
  return copied;
}

function asText(line: LogLine): string {
  return `${line.at} ${line.level} ${line.step}${line.index === null ? "" : `[${line.index}]`} #${line.attempt} ${line.text}`;
}

/** Where the lines of a log come from: all of them by their number, fetched where one looks; or those that fit a filter, from the newest back. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { api, unwrap, type LogLine } from "../../api/client";
import { openFeed } from "../../api/live";

export type Level = "debug" | "info" | "warning" | "error";
export type LogFilter = { step: string | null; level: Level; search: string };
export type LogLines = {
  total: number; // rows there are, as far as is known
  newest: number; // number of the newest line
  more: boolean; // older ones may fit the filter
  ready: boolean;
  error: unknown;
  at: (index: number) => LogLine | null; // null: on its way
  indexOf: (number: number) => number; // row of a line, -1 when it has none
  show: (from: number, to: number) => void; // rows on screen
  retry: () => void;
};

export const pageSize = 1000;
const keptPages = 60;

export async function fetchLines(id: string, filter: LogFilter, range: { after?: number; tail?: number }): Promise<LogLine[]> {
  const query = { level: filter.level, limit: pageSize, ...(filter.step ? { step: filter.step } : {}), ...(filter.search ? { search: filter.search } : {}), ...range };
  return (await unwrap(api.GET("/api/executions/{id}/logs/", { params: { path: { id }, query: query as never } }))).results;
}

/** Pages of a log by number; those looked at longest ago are dropped. */
export class LogPages {
  private pages = new Map<number, LogLine[]>();
  private wanted = new Set<number>();
  readonly fetch: (after: number) => Promise<LogLine[]>;

  constructor(fetch: (after: number) => Promise<LogLine[]>) {
    this.fetch = fetch;
  }

  /** The line of this number, counted from 1. */
  line(number: number): LogLine | null {
    const page = Math.floor((number - 1) / pageSize);
    return this.pages.get(page)?.[(number - 1) % pageSize] ?? null;
  }

  /** Puts lines where they belong; pages with holes are left for `ask`. */
  put(lines: readonly LogLine[]): void {
    for (const line of lines) {
      const index = Math.floor((line.number - 1) / pageSize);
      let page = this.pages.get(index);
      if (!page) this.pages.set(index, (page = []));
      page[(line.number - 1) % pageSize] = line;
    }
  }

  /** Brings the lines from one number to another that are not here; true when some came. */
  async ask(from: number, to: number): Promise<boolean> {
    const missing: number[] = [];
    for (let page = Math.floor((from - 1) / pageSize); page <= Math.floor((to - 1) / pageSize); ++page) {
      const [first, last] = [Math.max(from, page * pageSize + 1), Math.min(to, (page + 1) * pageSize)];
      let whole = true;
      for (let number = first; number <= last && whole; ++number) whole = this.line(number) !== null;
      if (!whole && !this.wanted.has(page)) missing.push(page);
    }
    for (const page of missing) this.wanted.add(page);
    await Promise.all(
      missing.map((page) =>
        this.fetch(page * pageSize)
          .then((lines) => this.put(lines))
          .finally(() => this.wanted.delete(page)),
      ),
    );
    const middle = Math.floor((from + to) / 2 / pageSize);
    const far = [...this.pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const page of far.slice(0, Math.max(0, this.pages.size - keptPages))) this.pages.delete(page);
    return missing.length > 0;
  }
}

export function useLogLines(id: string, filter: LogFilter, live: boolean): LogLines {
  const whole = filter.step === null && filter.level === "debug" && filter.search === "";
  const [state, setState] = useState({ ready: false, newest: 0, error: null as unknown, attempt: 0, drawn: 0 });
  const found = useRef<{ lines: LogLine[]; start: number | null }>({ lines: [], start: null }); // start: number before the oldest looked at
  const pages = useMemo(() => new LogPages((after) => fetchLines(id, filter, { after })), [id, filter]);
  const newest = useRef(0);
  const redraw = useCallback(() => setState((before) => ({ ...before, newest: newest.current, drawn: before.drawn + 1 })), []);

  const take = useCallback(
    (lines: LogLine[]): void => {
      if (whole) pages.put(lines);
      else found.current.lines.push(...lines);
      newest.current = lines.at(-1)?.number ?? newest.current;
    },
    [pages, whole],
  );
  useEffect(() => {
    let gone = false;
    newest.current = 0;
    found.current = { lines: [], start: null };
    setState((before) => ({ ...before, ready: false, newest: 0, error: null }));
    fetchLines(id, filter, { tail: pageSize }).then(
      (lines) => {
        if (gone) return;
        take(lines);
        const oldest = lines[0]?.number ?? 0;
        found.current.start = lines.length === pageSize && oldest > 1 ? oldest - 1 : null;
        setState((before) => ({ ...before, ready: true, newest: newest.current }));
      },
      (error: unknown) => !gone && setState((before) => ({ ...before, error })),
    );
    return () => {
      gone = true;
    };
  }, [id, filter, take, state.attempt]);

  // Lines that arrive: the feed says that there are some, the server says which of them fit the filter.
  useEffect(() => {
    if (!live || !state.ready) return;
    let [busy, again, gone] = [false, false, false];
    const more = async (): Promise<void> => {
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      try {
        do {
          again = false;
          const lines = await fetchLines(id, filter, { after: newest.current });
          if (gone) return;
          if (lines.length > 0) {
            take(lines);
            redraw();
          }
          if (lines.length === pageSize) again = true;
        } while (again);
      } catch {
        // the feed tells again
      } finally {
        busy = false;
      }
    };
    const told = (type: string): boolean => type === "log" || type === "snapshot" || type === "execution_update";
    const close = openFeed({ path: `/ws/executions/${id}/`, resumable: true, onState: () => {}, onMessage: (message) => told(message.type) && void more() });
    return () => {
      gone = true;
      close();
    };
  }, [id, live, filter, state.ready, take, redraw]);

  const looking = useRef(false);
  const show = useCallback(
    (from: number, to: number): void => {
      if (whole) {
        void pages.ask(from + 1, to + 1).then((came) => came && redraw(), (error: unknown) => setState((before) => ({ ...before, error })));
        return;
      }
      // Near the oldest that is known: look further back, over as many lines as it takes to find one that fits.
      const { start } = found.current;
      if (from > 100 || start === null || looking.current) return;
      looking.current = true;
      const list = found.current;
      searchBack((range) => fetchLines(id, filter, range), start)
        .then(({ lines, start: next }) => {
          if (list !== found.current) return;
          list.lines.unshift(...lines);
          list.start = next;
          redraw();
        })
        .catch((error: unknown) => setState((before) => ({ ...before, error })))
        .finally(() => {
          looking.current = false;
        });
    },
    [filter, id, pages, redraw, whole],
  );
  const retry = useCallback(() => setState((before) => ({ ...before, attempt: before.attempt + 1 })), []);
  return {
    total: whole ? state.newest : found.current.lines.length,
    newest: state.newest,
    more: !whole && found.current.start !== null,
    ready: state.ready,
    error: state.error,
    at: (index) => (whole ? pages.line(index + 1) : (found.current.lines[index] ?? null)),
    indexOf: (number) => (whole ? (number >= 1 && number <= state.newest ? number - 1 : -1) : found.current.lines.findIndex((line) => line.number === number)),
    show,
    retry,
  };
}

/** The lines that fit before `start`, from a stretch that doubles until some are found. */
export async function searchBack(fetch: (range: { after: number }) => Promise<LogLine[]>, start: number): Promise<{ lines: LogLine[]; start: number | null }> {
  for (let [to, width] = [start, pageSize]; ; width *= 2) {
    const from = Math.max(0, to - width);
    const lines: LogLine[] = [];
    for (let after = from; ; ) {
      const page = await fetch({ after });
      lines.push(...page.filter((line) => line.number <= to));
      const last = page.at(-1)?.number ?? to;
      if (page.length < pageSize || last >= to) break;
      after = last;
    }
    if (lines.length > 0 || from === 0) return { lines, start: from === 0 ? null : from };
    to = from;
  }
}

/** One execution, live: its resource kept up to date by the feed, its document, and its journal. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { api, unwrap, type Execution, type JournalEvent } from "../../api/client";
import { openFeed, type LiveMessage, type LiveState } from "../../api/live";
import { executionQuery, keys } from "../../api/queries";
import { toDocument, type WorkflowDocument } from "../../graph/document";
import { announce } from "../../ui/announcer";
import { isOver } from "../../ui/status";
import { t } from "../../text";
import { applyMessages } from "./apply_messages";

export function useExecution(id: string): { execution: Execution | undefined; error: unknown; live: LiveState; refetch: () => void } {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({ ...executionQuery(id), staleTime: Infinity });
  const [live, setLive] = useState<LiveState>("connecting");
  const watched = data !== undefined && (!isOver(data.status) || data.tasks.length < watchedTasks);
  useEffect(() => {
    if (!watched) return;
    let pending: LiveMessage[] = [];
    let frame = 0;
    const flush = (): void => {
      frame = 0;
      const messages = pending;
      pending = [];
      const before = client.getQueryData<Execution>(keys.execution(id)) ?? null;
      const after = applyMessages(before, messages);
      if (!after || after === before) return;
      client.setQueryData(keys.execution(id), after);
      if (before && before.status !== after.status && isOver(after.status)) announce(t.execution.announce(t.status[after.status]));
    };
    const close = openFeed({
      path: `/ws/executions/${id}/`,
      resumable: true,
      onState: setLive,
      onMessage: (message) => {
        pending.push(message);
        frame ||= requestAnimationFrame(flush);
      },
    });
    return () => {
      close();
      cancelAnimationFrame(frame);
    };
  }, [client, id, watched]);
  return { execution: data, error, live, refetch: () => void refetch() };
}

export function useExecutionDocument(id: string): { document: WorkflowDocument | null; error: unknown } {
  const { data, error } = useQuery({
    queryKey: [...keys.execution(id), "workflow"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/executions/{id}/workflow/", { signal, params: { path: { id } } })).then((answer) => toDocument(answer.document)),
    staleTime: Infinity, // pinned: never changes
  });
  return { document: data ?? null, error };
}

/** Ended executions beyond this are not watched: the feed begins with a snapshot, which would bring all of it a second time. */
const watchedTasks = 2000;

export type Journal = { events: readonly JournalEvent[]; complete: boolean; error: unknown };

/** The whole journal; then, while it is shown and `version` changes, what is new in it, a few times a second at most. */
export function useJournal(id: string, version: unknown, enabled: boolean): Journal {
  const [journal, setJournal] = useState<Journal>(noJournal);
  const held = useRef<JournalEvent[]>([]);
  const reader = useRef<(() => void) | null>(null);
  useEffect(() => {
    held.current = [];
    setJournal(noJournal);
  }, [id]);
  useEffect(() => {
    if (!enabled) return;
    const stop = new AbortController();
    const events = held.current;
    let [busy, again] = [false, false];
    const read = async (): Promise<void> => {
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      do {
        again = false;
        try {
          await readJournal(id, events, stop.signal, (complete) => setJournal((before) => ({ events: [...events], complete: complete || before.complete, error: null })));
        } catch (error) {
          if (!stop.signal.aborted) setJournal((before) => ({ ...before, error }));
        }
        if (again) await new Promise((done) => setTimeout(done, publishedEvery));
      } while (again && !stop.signal.aborted);
      busy = false;
    };
    reader.current = () => void read();
    return () => {
      stop.abort();
      reader.current = null;
    };
  }, [id, enabled]);
  useEffect(() => reader.current?.(), [id, version, enabled]);
  return journal;
}

const noJournal: Journal = { events: [], complete: false, error: null };
const pageSize = 1000;
const pagesAtOnce = 3;
const publishedEvery = 400; // milliseconds: what shows the list builds it anew each time

/** Brings what `events` does not hold yet, several pages at once, and says so from time to time. */
async function readJournal(id: string, events: JournalEvent[], signal: AbortSignal, publish: (complete: boolean) => void): Promise<void> {
  const page = (after: number) => unwrap(api.GET("/api/executions/{id}/events/", { signal, params: { path: { id }, query: { after, limit: pageSize } } }));
  let published = performance.now();
  for (let first = true; ; first = false) {
    const last = events.at(-1)?.seq ?? 0;
    const wanted = first ? [last] : Array.from({ length: pagesAtOnce }, (_, index) => last + index * pageSize);
    const pages = await Promise.all(wanted.map(page));
    if (signal.aborted) return;
    for (const { results } of pages) for (const event of results) if (event.seq === (events.at(-1)?.seq ?? 0) + 1) events.push(event);
    const complete = events.length >= Math.max(...pages.map(({ count }) => count));
    if (complete || first || performance.now() - published > publishedEvery) {
      publish(complete);
      published = performance.now();
    }
    if (complete || pages.every(({ results }) => results.length === 0)) return;
  }
}

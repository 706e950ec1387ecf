/** One execution, live: its resource kept up to date by the feed, its document, and its journal. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, unwrap, type Execution, type JournalEvent } from "../../api/client";
import { openFeed, type LiveMessage, type LiveState } from "../../api/live";
import { executionQuery, keys } from "../../api/queries";
import { toDocument, type WorkflowDocument } from "../../graph/document";
import { announce } from "../../ui/announcer";
import { isOver } from "../../ui/status";
import { t } from "../../text";
import { applyMessage } from "../editor/use_run";

export function useExecution(id: string): { execution: Execution | undefined; error: unknown; live: LiveState; refetch: () => void } {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({ ...executionQuery(id), staleTime: Infinity });
  const [live, setLive] = useState<LiveState>("connecting");
  useEffect(() => {
    let pending: LiveMessage[] = [];
    let frame = 0;
    const flush = (): void => {
      frame = 0;
      const messages = pending;
      pending = [];
      const before = client.getQueryData<Execution>(keys.execution(id)) ?? null;
      const after = messages.reduce(applyMessage, before);
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
  }, [client, id]);
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

/** The whole journal, page by page, then only what is new when `version` changes. */
export function useJournal(id: string, version: unknown, enabled: boolean): { events: JournalEvent[]; error: unknown } {
  const [events, setEvents] = useState<JournalEvent[]>([]);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    setEvents([]);
  }, [id]);
  useEffect(() => {
    if (!enabled) return;
    let gone = false;
    const timer = setTimeout(async () => {
      try {
        let last = 0;
        setEvents((before) => {
          last = before.at(-1)?.seq ?? 0;
          return before;
        });
        for (let next: number | null = last; next !== null && !gone; ) {
          const page: { next: number | null; results: JournalEvent[] } = await unwrap(api.GET("/api/executions/{id}/events/", { params: { path: { id }, query: { after: next, limit: 1000 } } }));
          if (gone) return;
          if (page.results.length > 0) setEvents((before) => [...before, ...page.results.filter((event) => event.seq > (before.at(-1)?.seq ?? 0))]);
          next = page.next;
        }
        setError(null);
      } catch (reason) {
        if (!gone) setError(reason);
      }
    }, 100);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id, version, enabled]);
  return { events, error };
}

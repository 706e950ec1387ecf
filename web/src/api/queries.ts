/** Every question asked of the server, with one factory for their keys. Components use these and never fetch. */
import { keepPreviousData, queryOptions, infiniteQueryOptions, QueryClient } from "@tanstack/react-query";

import { api, ApiError, unwrap } from "./client";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
    },
  },
});

export const keys = {
  workflows: ["workflows"] as const,
  workflow: (id: string) => ["workflows", id] as const,
  versions: (id: string) => ["workflows", id, "versions"] as const,
  executions: ["executions"] as const,
  execution: (id: string) => ["executions", id] as const,
  stats: ["stats"] as const,
};

export type ExecutionFilter = { workflow?: string; status?: string; trigger?: string; label?: string; since?: string; until?: string; search?: string; parent?: string; retry_of?: string };

export const taskTypesQuery = queryOptions({
  queryKey: ["task-types"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/task-types/", { signal })).then((page) => page.results),
  staleTime: 60_000,
});

/** The server's variables, as expressions see them. */
export const varsQuery = queryOptions({
  queryKey: ["vars"],
  queryFn: ({ signal }) => unwrap(api.POST("/api/expressions/preview/", { signal, body: { template: "{{ vars }}" } })).then(({ value }) => (value ?? {}) as { [name: string]: unknown }),
  staleTime: 60_000,
});

export const readinessQuery = queryOptions({
  queryKey: ["readiness"],
  queryFn: ({ signal }) => unwrap(api.GET("/readyz", { signal })),
});

export function workflowsQuery(filter: { search?: string; status?: "draft" | "published" | "disabled" | undefined; tag?: string }, recent = 0) {
  return infiniteQueryOptions({
    queryKey: [...keys.workflows, "list", filter, recent],
    queryFn: ({ signal, pageParam }) =>
      unwrap(api.GET("/api/workflows/", { signal, params: { query: { ...clean(filter), limit: 100, ...(recent > 0 ? { recent } : {}), ...(pageParam ? { cursor: pageParam } : {}) } as never } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function workflowQuery(id: string) {
  return queryOptions({
    queryKey: keys.workflow(id),
    queryFn: async ({ signal }) => {
      const answer = await api.GET("/api/workflows/{id}/", { signal, params: { path: { id } } });
      return unwrap(Promise.resolve(answer));
    },
    staleTime: 0,
  });
}

/** Where a workflow listens now. */
export function webhooksQuery(workflow: string) {
  return queryOptions({
    queryKey: [...keys.workflow(workflow), "webhooks"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/webhooks/", { signal, params: { query: { workflow } } })).then((page) => page.results),
    refetchInterval: 2000,
  });
}

export function webhookRequestsQuery(workflow: string, trigger: string) {
  return queryOptions({
    queryKey: [...keys.workflow(workflow), "webhooks", trigger],
    queryFn: ({ signal }) => unwrap(api.GET("/api/webhooks/{id}/{trigger}/requests/", { signal, params: { path: { id: workflow, trigger } } })).then((page) => page.results),
    refetchInterval: 2000,
  });
}

export function schedulesQuery(workflow: string) {
  return queryOptions({
    queryKey: [...keys.workflow(workflow), "schedules"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/schedules/", { signal, params: { query: { workflow } } })).then((page) => page.results),
    refetchInterval: 2000,
  });
}

/** Of all workflows. */
export const allSchedulesQuery = queryOptions({
  queryKey: ["schedules"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/schedules/", { signal })).then((page) => page.results),
  refetchInterval: 5000,
});
export const allWebhooksQuery = queryOptions({
  queryKey: ["webhooks"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/webhooks/", { signal })).then((page) => page.results),
  refetchInterval: 5000,
});
/** What keeps triggers from firing, of all workflows in one answer. */
export const triggerProblemsQuery = queryOptions({
  queryKey: ["trigger-problems"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/triggers/problems/", { signal })).then((page) => page.results),
  refetchInterval: 10_000,
});
export const allPollsQuery = queryOptions({
  queryKey: ["polls"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/polls/", { signal })).then((page) => page.results),
  refetchInterval: 5000,
});
export const scheduleCalendarQuery = queryOptions({
  queryKey: ["schedules", "calendar"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/schedules/calendar/", { signal })),
  refetchInterval: 30_000,
});

/** What a backfill would start, or how far one is. */
export function backfillQuery(job: string) {
  return queryOptions({
    queryKey: ["schedules", "backfills", job],
    queryFn: ({ signal }) => unwrap(api.GET("/api/schedules/backfills/{job}/", { signal, params: { path: { job } } })),
    refetchInterval: (query) => (query.state.data?.status === "running" ? 500 : false),
  });
}
export function backfillPlanQuery(workflow: string, trigger: string, from: string, until: string) {
  return queryOptions({
    queryKey: ["schedules", "backfill-plan", workflow, trigger, from, until],
    queryFn: ({ signal }) => unwrap(api.POST("/api/schedules/{id}/{trigger}/backfill/", { signal, params: { path: { id: workflow, trigger } }, body: { from, until, dry_run: true } as never })),
    retry: false,
    staleTime: 0,
  });
}

/** Whether the webhook of the draft listens at its test URL. */
export function webhookListenerQuery(workflow: string, trigger: string) {
  return queryOptions({
    queryKey: [...keys.workflow(workflow), "webhooks", trigger, "listener"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/webhooks/{id}/{trigger}/listen/", { signal, params: { path: { id: workflow, trigger } } })),
    retry: false,
    refetchInterval: 5000,
  });
}

export function scheduleFiresQuery(workflow: string, trigger: string) {
  return queryOptions({
    queryKey: [...keys.workflow(workflow), "schedules", trigger],
    queryFn: ({ signal }) => unwrap(api.GET("/api/schedules/{id}/{trigger}/fires/", { signal, params: { path: { id: workflow, trigger } } })).then((page) => page.results),
    refetchInterval: 2000,
  });
}

/** Which events start a workflow as it is published. */
export function subscriptionsQuery(workflow: string) {
  return queryOptions({
    queryKey: [...keys.workflow(workflow), "subscriptions"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/subscriptions/", { signal, params: { query: { workflow } } })).then((page) => page.results),
    refetchInterval: 2000,
  });
}

/** What was published last, and what became of it. */
export function eventsQuery(filter: { name?: string; key?: string }) {
  const query = Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
  return queryOptions({
    queryKey: ["events", query],
    queryFn: ({ signal }) => unwrap(api.GET("/api/events/", { signal, params: { query } })).then((page) => page.results),
    refetchInterval: 2000,
  });
}

/** Sources that a workflow polls as it is published. */
export function pollsQuery(workflow: string) {
  return queryOptions({
    queryKey: [...keys.workflow(workflow), "polls"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/polls/", { signal, params: { query: { workflow } } })).then((page) => page.results),
    refetchInterval: 2000,
  });
}

/** The next ten times of a trigger's config, whether it is published or not. */
export function schedulePreviewQuery(config: { [name: string]: unknown }) {
  const known = ["cron", "every_seconds", "at", "timezone", "start", "end", "anchor", "missing_hour", "repeated_hour"];
  const body = Object.fromEntries(Object.entries(config).filter(([name]) => known.includes(name)));
  return queryOptions({
    queryKey: ["schedule-preview", body],
    queryFn: ({ signal }) => unwrap(api.POST("/api/schedules/preview/", { signal, body: body as never })).then((page) => page.results),
    retry: false,
  });
}

export function versionsQuery(id: string) {
  return queryOptions({
    queryKey: keys.versions(id),
    queryFn: ({ signal }) => unwrap(api.GET("/api/workflows/{id}/versions/", { signal, params: { path: { id }, query: { limit: 100 } } })),
  });
}

export function versionQuery(id: string, number: number) {
  return queryOptions({
    queryKey: [...keys.versions(id), number],
    queryFn: ({ signal }) => unwrap(api.GET("/api/workflows/{id}/versions/{number}/", { signal, params: { path: { id, number } } })),
    staleTime: Infinity, // a version never changes
  });
}

export const templatesQuery = queryOptions({
  queryKey: ["templates"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/templates/", { signal })).then((page) => page.results),
  staleTime: Infinity,
});

export function templateQuery(id: string) {
  return queryOptions({
    queryKey: ["templates", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/templates/{name}/", { signal, params: { path: { name: id } } })),
    staleTime: Infinity,
  });
}

export function executionsQuery(filter: ExecutionFilter, limit = 50) {
  return infiniteQueryOptions({
    queryKey: [...keys.executions, "list", filter, limit],
    queryFn: ({ signal, pageParam }) =>
      unwrap(api.GET("/api/executions/", { signal, params: { query: { ...clean(filter), limit, ...(pageParam ? { cursor: pageParam } : {}) } as never } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function executionQuery(id: string) {
  return queryOptions({
    queryKey: keys.execution(id),
    queryFn: ({ signal }) => unwrap(api.GET("/api/executions/{id}/", { signal, params: { path: { id } } })),
  });
}

export function taskQuery(execution: string, task: string) {
  return queryOptions({
    queryKey: [...keys.execution(execution), "tasks", task],
    queryFn: ({ signal }) => unwrap(api.GET("/api/executions/{id}/tasks/{task}/", { signal, params: { path: { id: execution, task } } })),
  });
}

const shownMember = 20_000; // bytes: a larger member is asked for by its own path

export function sliceQuery(execution: string, task: string, path: string, offset: number, limit: number) {
  return queryOptions({
    queryKey: [...keys.execution(execution), "result", task, path, offset, limit],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/executions/{id}/tasks/{task}/result/", { signal, params: { path: { id: execution, task }, query: { path, offset, limit, shorten: shownMember } } })),
    staleTime: 60_000,
  });
}

export function statsQuery(hours: number, options: { workflow?: string; steps?: boolean } = {}) {
  return queryOptions({
    queryKey: [...keys.stats, hours, options],
    queryFn: ({ signal }) => unwrap(api.GET("/api/stats/", { signal, params: { query: { hours, ...clean(options) } as never } })),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
}

function clean<T extends object>(filter: T): Partial<T> {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined && value !== "" && value !== false)) as Partial<T>;
}

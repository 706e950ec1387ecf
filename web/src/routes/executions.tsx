/** All executions: typed filters in the address, live rows, and what to do with many at once. */
import { useInfiniteQuery, useMutation, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChevronDown, ChevronRight, Search, X } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";

import { api, idempotent, unwrap, type ExecutionSummary, type Schemas } from "../api/client";
import { openFeed, type LiveMessage } from "../api/live";
import { executionsQuery, keys, workflowsQuery, type ExecutionFilter } from "../api/queries";
import { executionsRoute } from "../app/router";
import { elapsed, formatAgo, formatDuration, formatFull, formatVersion, shortId } from "../lib/format";
import { groupByError } from "../lib/fingerprint";
import { useCommands, useNow, useSettled, useTitle } from "../lib/hooks";
import { t } from "../text";
import { Button, Dialog } from "../ui/controls";
import { Empty, ErrorState, LoadingRows } from "../ui/states";
import { isOver, StatusText } from "../ui/status";

const statuses = ["running", "waiting", "paused", "failed", "completed", "cancelled", "pending"] as const;
const spans: Record<string, number> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 7 * 86_400_000 };

type Page = Schemas["ExecutionPage"];

export function ExecutionsPage() {
  const search = executionsRoute.useSearch();
  const navigate = useNavigate({ from: "/executions" });
  const client = useQueryClient();
  const [text, setText] = useState(search.search ?? "");
  const settled = useSettled(text, 200);
  const [bulk, setBulk] = useState<"retry" | "cancel" | null>(null);
  const [current, setCurrent] = useState(-1);
  useTitle(t.app.executions);
  const set = (change: Partial<Record<keyof typeof search, string | undefined>>): void => void navigate({ search: (now) => ({ ...now, ...change }) });
  useEffect(() => void navigate({ search: (now) => ({ ...now, search: settled || undefined }), replace: true }), [settled, navigate]);
  const since = search.since && spans[search.since] ? new Date(Math.floor((Date.now() - spans[search.since]!) / 60_000) * 60_000).toISOString() : search.since;
  const grouped = search.group === "error";
  const filter = useMemo((): ExecutionFilter => {
    const { group: _group, ...typed } = search;
    return { ...typed, ...(since ? { since } : {}) };
  }, [search, since]);
  const query = executionsQuery(filter, grouped ? 200 : 50);
  const list = useInfiniteQuery(query);
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.results) ?? [], [list.data]);
  const groups = useMemo(() => (grouped ? groupByError(rows) : []), [grouped, rows]);
  const [fresh, setFresh] = useState(0);
  const workflows = useInfiniteQuery(workflowsQuery({}));

  // Rows on screen follow the feed in place; new ones wait behind a pill, so that nothing moves under the pointer.
  const known = useRef(new Set<string>());
  known.current = useMemo(() => new Set(rows.map((row) => row.id)), [rows]);
  useEffect(() => {
    let pending = new Map<string, Partial<ExecutionSummary>>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const apply = (): void => {
      timer = undefined;
      const changes = pending;
      pending = new Map();
      const unseen = [...changes.keys()].filter((id) => !known.current.has(id)).length;
      if (unseen > 0) setFresh((count) => count + unseen);
      client.setQueryData(query.queryKey, (before: InfiniteData<Page> | undefined) =>
        before && { ...before, pages: before.pages.map((page) => (page.results.some((row) => changes.has(row.id)) ? { ...page, results: page.results.map((row) => (changes.has(row.id) ? { ...row, ...changes.get(row.id) } : row)) } : page)) },
      );
    };
    const close = openFeed({
      path: "/ws/executions/",
      resumable: false,
      onState: (state) => state === "live" && void client.invalidateQueries({ queryKey: query.queryKey }),
      onMessage: (message: LiveMessage) => {
        const row = (message.execution ?? message) as Partial<ExecutionSummary> & { id?: string };
        if (typeof row.id !== "string") return;
        const { type: _type, seq: _seq, ...change } = row as Record<string, unknown>;
        pending.set(row.id, { ...pending.get(row.id), ...(change as Partial<ExecutionSummary>) });
        timer ??= setTimeout(apply, 250);
      },
    });
    return () => {
      close();
      clearTimeout(timer);
    };
  }, [client, JSON.stringify(query.queryKey)]);
  const showFresh = (): void => {
    setFresh(0);
    void client.resetQueries({ queryKey: query.queryKey });
  };

  const group = t.shortcutGroups.lists;
  const step = (by: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, current + by));
    setCurrent(next);
    void document.querySelectorAll("tbody tr")[next]?.scrollIntoView({ block: "nearest" });
  };
  useCommands([
    { id: "list.down", title: t.data.more(1), group, keys: ["J"], scope: "list", run: () => step(1) },
    { id: "list.up", title: "", group, keys: ["K"], scope: "list", run: () => step(-1) },
    { id: "list.open", title: t.shortcuts.open, group, keys: ["Enter"], scope: "list", run: () => rows[current] && void navigate({ to: "/executions/$id", params: { id: rows[current].id } }), enabled: () => current >= 0 },
    { id: "list.search", title: t.executions.searchLabel, group, keys: ["/"], scope: "list", run: () => document.querySelector<HTMLInputElement>("[data-search]")?.focus() },
  ]);

  const chips = (["workflow", "label", "parent", "retry_of", "trigger"] as const).filter((name) => search[name]);
  const filtered = Object.values(filter).some(Boolean);
  const chosenStatuses = new Set((search.status ?? "").split(",").filter(Boolean));
  const toggleStatus = (status: string): void => {
    const next = new Set(chosenStatuses);
    if (!next.delete(status)) next.add(status);
    set({ status: next.size > 0 ? [...next].join(",") : undefined });
  };
  const nameOf = (name: string): string => (name === "workflow" ? (workflows.data?.pages.flatMap((page) => page.results).find((row) => row.id === search.workflow)?.name ?? search.workflow!) : search[name as "label"]!);
  const running = rows.some((row) => !isOver(row.status));
  const now = useNow(running, 1000);
  const first = list.data?.pages[0];
  return (
    <div className="screen">
      <header className="topbar">
        <h1>{t.app.executions}</h1>
        {first && <span className="t3">{t.executions.counted(first.count, first.count_is_exact)}</span>}
        {fresh > 0 && (
          <Button size="sm" className="fresh" onClick={showFresh}>
            {t.executions.fresh(fresh)}
          </Button>
        )}
        <span className="grow" />
        {filtered && rows.some((row) => row.status === "failed" || row.status === "cancelled") && (
          <Button size="lg" onClick={() => setBulk("retry")}>
            {t.executions.retryThese}
          </Button>
        )}
        {filtered && running && (
          <Button size="lg" onClick={() => setBulk("cancel")}>
            {t.executions.cancelThese}
          </Button>
        )}
      </header>
      <main className="list-page" id="content">
        <div className="filters">
          <label className="searchbox">
            <Search className="icon sm" aria-hidden="true" />
            <input className="bare" type="search" data-search="" aria-label={t.executions.searchLabel} placeholder={t.executions.searchLabel} value={text} onChange={(event) => setText(event.target.value)} />
            <kbd className="kbd">/</kbd>
          </label>
          <div className="levels" role="group" aria-label={t.executions.status}>
            {statuses.map((status) => (
              <button key={status} type="button" className="lv" aria-pressed={chosenStatuses.has(status)} onClick={() => toggleStatus(status)}>
                {t.status[status]}
              </button>
            ))}
          </div>
          <select className="input select filter-select" aria-label={t.executions.workflow} value={search.workflow ?? ""} onChange={(event) => set({ workflow: event.target.value || undefined })}>
            <option value="">{t.executions.workflow}</option>
            {workflows.data?.pages.flatMap((page) => page.results).map((row) => (
              <option key={row.id} value={row.id}>
                {row.name}
              </option>
            ))}
          </select>
          <select className="input select filter-select" aria-label={t.executions.since} value={search.since ?? ""} onChange={(event) => set({ since: event.target.value || undefined })}>
            <option value="">{t.executions.anyTime}</option>
            <option value="1h">{t.executions.lastHour}</option>
            <option value="24h">{t.executions.lastDay}</option>
            <option value="7d">{t.executions.lastWeek}</option>
          </select>
          <LabelFilter onAdd={(label) => set({ label })} />
          {rows.some((row) => row.error_message) && (
            <button type="button" className="lv" aria-pressed={grouped} onClick={() => set({ group: grouped ? undefined : "error" })}>
              {t.executions.grouped}
            </button>
          )}
          {grouped && <span className="help">{t.executions.groupedOf(rows.length)}</span>}
          {chips.map((name) => (
            <span key={name} className="fchip">
              {name}: <b className="clip">{nameOf(name)}</b>
              <Button kind="quiet" size="sm" icon label={t.executions.removeFilter(name)} onClick={() => set({ [name]: undefined })}>
                <X className="icon xs" aria-hidden="true" />
              </Button>
            </span>
          ))}
        </div>
        {list.error ? (
          <ErrorState error={list.error} retry={() => void list.refetch()} />
        ) : list.isPending ? (
          <LoadingRows rows={12} />
        ) : rows.length === 0 ? (
          filtered ? (
            <Empty
              title={t.executions.noneFit}
              actions={
                <Button
                  onClick={() => {
                    setText("");
                    void navigate({ search: {} });
                  }}
                >
                  {t.executions.clear}
                </Button>
              }
            />
          ) : (
            <Empty title={t.executions.emptyTitle} actions={<Link to="/workflows" className="btn btn-primary">{t.app.workflows}</Link>}>
              {t.executions.empty}
            </Empty>
          )
        ) : (
          <div className="table-scroll" tabIndex={0}>
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">{t.executions.status}</th>
                  <th scope="col">{t.executions.workflow}</th>
                  <th scope="col">{t.executions.error}</th>
                  <th scope="col" className="hide-narrow">{t.executions.why}</th>
                  <th scope="col">{t.executions.started}</th>
                  <th scope="col" className="num">{t.executions.took}</th>
                  <th scope="col" className="hide-narrow">{t.executions.version}</th>
                  <th scope="col" className="hide-narrow">{t.executions.id}</th>
                </tr>
              </thead>
              {grouped ? (
                groups.map((errors) => <ErrorRows key={errors.key} rows={errors.rows} />)
              ) : (
                <tbody>
                  {rows.map((row, index) => (
                    <Row key={row.id} row={row} current={index === current} now={isOver(row.status) ? 0 : now} />
                  ))}
                </tbody>
              )}
            </table>
            {list.hasNextPage && (
              <Button className="load-more" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                {t.executions.loadMore}
              </Button>
            )}
          </div>
        )}
      </main>
      {bulk && <BulkDialog action={bulk} filter={filter} onClose={() => setBulk(null)} />}
    </div>
  );
}

/** One error with the executions that ended by it, the newest first. */
function ErrorRows({ rows }: { rows: readonly ExecutionSummary[] }) {
  const [open, setOpen] = useState(false);
  const newest = rows[0]!;
  return (
    <tbody>
      <tr className="error-group">
        <td>
          <button type="button" className="row b" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? <ChevronDown className="icon sm" aria-hidden="true" /> : <ChevronRight className="icon sm" aria-hidden="true" />}
            {t.executions.groupOf(rows.length)}
          </button>
        </td>
        <td className="b">{newest.workflow_name}</td>
        <td className="cell-error" colSpan={2} title={newest.error_message ?? undefined}>
          <span className="clip">{newest.error_message}</span>
        </td>
        <td className="t2" colSpan={4}>
          {formatAgo(newest.started_at)}
        </td>
      </tr>
      {open && rows.map((row) => <Row key={row.id} row={row} current={false} now={0} />)}
    </tbody>
  );
}

function Row({ row, current, now }: { row: ExecutionSummary; current: boolean; now: number }) {
  const took = elapsed(row.started_at, row.completed_at, now || undefined);
  return (
    <tr className={current ? "is-sel" : undefined}>
      <td>
        <StatusText status={row.status} />
      </td>
      <td>
        <Link to="/executions/$id" params={{ id: row.id }} className="b">
          {row.workflow_name}
        </Link>
      </td>
      <td className="cell-error" title={row.error_message ?? undefined}>
        {row.error_message ? <span className="clip">{row.error_message}</span> : <span className="t3">{t.app.none}</span>}
      </td>
      <td className="hide-narrow t2">{row.trigger}</td>
      <td className="t2" title={formatFull(row.started_at)}>
        {formatAgo(row.started_at)}
      </td>
      <td className="num">{took === null ? t.app.none : formatDuration(took)}</td>
      <td className="hide-narrow t2">{formatVersion(row.workflow_version, t.executions.draft)}</td>
      <td className="hide-narrow mono t3" title={row.id}>
        {shortId(row.id)}
      </td>
    </tr>
  );
}

function LabelFilter({ onAdd }: { onAdd: (label: string) => void }) {
  const [value, setValue] = useState("");
  return (
    <input
      className="input filter-label"
      aria-label={t.executions.label}
      placeholder={`${t.executions.label} ${t.executions.labelHint}`}
      value={value}
      onChange={(event) => setValue(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !value.includes("=")) return;
        onAdd(value);
        setValue("");
      }}
    />
  );
}

/** Counts first, then does; the job goes on in the server and is watched here. */
function BulkDialog({ action, filter, onClose }: { action: "retry" | "cancel"; filter: ExecutionFilter; onClose: () => void }) {
  const client = useQueryClient();
  const [job, setJob] = useState<Schemas["BulkJob"] | null>(null);
  const { parent: _parent, retry_of: _retry, ...rest } = filter;
  const body = { action, filter: action === "retry" && !rest.status ? { ...rest, status: "failed,cancelled" } : action === "cancel" && !rest.status ? { ...rest, status: "pending,running,waiting,paused" } : rest };
  const count = useMutation({ mutationFn: () => unwrap(api.POST("/api/executions/bulk/", { params: { header: idempotent() }, body: { ...body, dry_run: true } as never })) });
  const start = useMutation({ mutationFn: () => unwrap(api.POST("/api/executions/bulk/", { params: { header: idempotent() }, body: body as never })), onSuccess: setJob });
  useEffect(() => count.mutate(), []);
  useEffect(() => {
    if (!job?.id || job.status === "completed") return;
    const timer = setTimeout(() => {
      void unwrap(api.GET("/api/executions/bulk/{job}/", { params: { path: { job: job.id! } } })).then((next) => {
        setJob(next);
        if (next.status === "completed") void client.invalidateQueries({ queryKey: keys.executions });
      }, () => setJob({ ...job }));
    }, 500);
    return () => clearTimeout(timer);
  }, [client, job]);
  const shown = count.data ? t.executions.counted(count.data.count, count.data.count_is_exact) : "";
  return (
    <Dialog
      title={action === "retry" ? t.executions.retryThese : t.executions.cancelThese}
      open
      onClose={onClose}
      footer={
        job ? (
          <Button size="lg" onClick={onClose}>
            {t.app.close}
          </Button>
        ) : (
          <>
            <Button size="lg" onClick={onClose}>
              {t.execution.keepRunning}
            </Button>
            <Button kind={action === "retry" ? "primary" : "danger"} size="lg" disabled={!count.data || count.data.count === 0 || start.isPending} onClick={() => start.mutate()}>
              {count.data ? (action === "retry" ? t.executions.retryAll(count.data.count) : t.executions.cancelAll(count.data.count)) : t.app.loading}
            </Button>
          </>
        )
      }
    >
      {(count.error ?? start.error) && <ErrorState error={count.error ?? start.error} />}
      {count.data && !job && <p>{action === "retry" ? t.executions.bulkRetry(shown) : t.executions.bulkCancel(shown)}</p>}
      {job && (
        <div role="status">
          <progress max={Math.max(1, job.count)} value={job.done} className="bulk-progress" />
          <p>{job.status === "completed" ? t.executions.bulkDone(job.succeeded, job.refused) : t.executions.bulkRunning(job.done, job.count)}</p>
          {job.failures.slice(0, 5).map((failure) => (
            <p key={failure.execution} className="help bad">
              {shortId(failure.execution)} {failure.message}
            </p>
          ))}
        </div>
      )}
    </Dialog>
  );
}

/** Home: what needs a person first, then the numbers, each leading to the list behind it. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChartNoAxesColumn, Plus, Table2 } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";

import type { ExecutionSummary, Stats } from "../api/client";
import { triggerProblemsQuery, executionsQuery, readinessQuery, statsQuery } from "../api/queries";
import { homeRoute } from "../app/router";
import { elapsed, formatAgo, formatDuration, formatFull, formatNumber, formatVersion } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { t } from "../text";
import { Button, Segmented } from "../ui/controls";
import { Empty, ErrorState, LoadingRows } from "../ui/states";
import { StatusGlyph, StatusText, type AnyStatus } from "../ui/status";

const Chart = lazy(() => import("../features/home/charts").then((module) => ({ default: module.Chart })));
const windows = [1, 24, 24 * 7, 24 * 30] as const;

export function HomePage() {
  const search = homeRoute.useSearch();
  const navigate = useNavigate({ from: "/" });
  const hours = windows.includes(Number(search.hours) as 24) ? Number(search.hours) : 24;
  useTitle(t.app.home);
  const stats = useQuery({ ...statsQuery(hours), refetchInterval: 10_000 });
  const failed = useInfiniteQuery({ ...executionsQuery({ status: "failed" }, 50), refetchInterval: 10_000 });
  const recent = useInfiniteQuery({ ...executionsQuery({}, 10), refetchInterval: 5000 });
  const names = ["1 h", "24 h", "7 d", "30 d"];
  const nothing = recent.data?.pages[0]?.results.length === 0;
  return (
    <div className="screen">
      <header className="topbar">
        <h1>{t.app.home}</h1>
        <span className="grow" />
        <Segmented label={t.home.keyNumbers} value={String(hours)} onChange={(next) => void navigate({ search: { hours: next === "24" ? undefined : next } })} options={windows.map((value, index) => ({ value: String(value), text: names[index] }))} />
        <Link to="/templates" className="btn btn-primary btn-lg">
          <Plus className="icon sm" aria-hidden="true" />
          {t.workflows.newWorkflow}
        </Link>
      </header>
      <main className="page" id="content">
        {stats.error && <ErrorState error={stats.error} retry={() => void stats.refetch()} />}
        {nothing && (
          <div className="card first-run">
            <Empty
              title={t.home.firstTitle}
              actions={
                <>
                  <Link to="/workflows" className="btn btn-primary btn-lg">
                    {t.app.workflows}
                  </Link>
                  <Link to="/templates" className="btn btn-lg">
                    {t.app.templates}
                  </Link>
                </>
              }
            >
              {t.home.firstText}
            </Empty>
          </div>
        )}
        <div className="home-grid">
          <Attention failed={failed.data?.pages[0]?.results ?? []} stats={stats.data} loading={failed.isPending} />
          <KeyNumbers stats={stats.data} hours={hours} />
          {stats.data && <Throughput stats={stats.data} />}
          {stats.data && <Durations stats={stats.data} />}
          {stats.data && <ByWorkflow stats={stats.data} />}
          <Recent rows={recent.data?.pages[0]?.results} />
        </div>
      </main>
    </div>
  );
}

type Item = { status: AnyStatus; title: string; text: string; when: string; to: { status?: string; workflow?: string } | string; action: string };

function Attention({ failed, stats, loading }: { failed: readonly ExecutionSummary[]; stats: Stats | undefined; loading: boolean }) {
  const ready = useQuery(readinessQuery);
  const { data: problems } = useQuery(triggerProblemsQuery);
  const items = useMemo((): Item[] => {
    const list: Item[] = [];
    for (const check of ready.data?.checks ?? []) if (!check.ok) list.push({ status: "failed", title: t.home.notReady, text: `${check.name}: ${check.text}`, when: "", to: {}, action: t.home.open });
    // The same error of one workflow is one thing to look at, however often it happened.
    const groups = new Map<string, ExecutionSummary[]>();
    for (const row of failed) {
      const key = `${row.workflow ?? row.workflow_name}/${row.error_code ?? ""}`;
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    for (const rows of [...groups.values()].slice(0, 6)) {
      const newest = rows[0]!;
      list.push({
        status: "failed",
        title: t.home.failsIn(newest.workflow_name),
        text: t.home.failsText(rows.length, newest.error_message ?? newest.error_code ?? ""),
        when: formatAgo(newest.started_at),
        to: rows.length === 1 ? newest.id : { status: "failed", ...(newest.workflow ? { workflow: newest.workflow } : {}) },
        action: rows.length === 1 ? t.home.open : t.home.review,
      });
    }
    for (const { workflow_name: name, kind, detail, by, at, execution_id: execution } of problems ?? []) {
      const rest = { when: at ? formatAgo(at) : "", to: "/triggers", action: t.home.review };
      if (kind === "paused" && by === "flowpilot") list.push({ ...rest, status: "paused", title: t.home.schedulePaused(name), text: detail, to: execution ?? rest.to });
      else if (kind === "missed") list.push({ ...rest, status: "skipped", title: t.home.scheduleMissed(name), text: t.home.scheduleMissedText });
      else if (kind === "secret_missing") list.push({ ...rest, status: "failed", title: t.home.secretMissing(name), text: t.home.secretMissingText });
      else if (kind === "source") list.push({ ...rest, status: "failed", title: t.home.sourceFails(name), text: detail });
    }
    const waiting = stats?.by_status.waiting ?? 0;
    const paused = stats?.by_status.paused ?? 0;
    if (waiting > 0) list.push({ status: "waiting", title: t.home.approvals(waiting), text: t.home.approvalsText, when: "", to: { status: "waiting" }, action: t.home.review });
    if (paused > 0) list.push({ status: "paused", title: t.home.paused(paused), text: t.home.pausedText, when: "", to: { status: "paused" }, action: t.home.review });
    return list;
  }, [failed, stats, ready.data, problems]);
  return (
    <section className="card home-attention" aria-labelledby="attention">
      <header>
        <h2 id="attention">{t.home.attention}</h2>
        {items.length > 0 && <span className="count">{items.length}</span>}
      </header>
      {loading ? (
        <LoadingRows rows={3} height={52} />
      ) : items.length === 0 ? (
        <p className="all-well">
          <StatusGlyph status="completed" /> {t.home.allWell}
        </p>
      ) : (
        <ul className="attn">
          {items.map((item, index) => {
            const link = item.to === "/triggers" ? { to: "/triggers" as const } : typeof item.to === "string" ? { to: "/executions/$id" as const, params: { id: item.to } } : { to: "/executions" as const, search: item.to };
            return (
              <li key={index}>
                <StatusGlyph status={item.status} />
                <div className="clip">
                  <Link {...(link as { to: "/executions" })}>{item.title}</Link>
                  <p>{item.text}</p>
                </div>
                <span className="when">{item.when}</span>
                <Link {...(link as { to: "/executions" })} className="btn btn-sm">
                  {item.action}
                </Link>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function KeyNumbers({ stats, hours }: { stats: Stats | undefined; hours: number }) {
  const total = stats?.total;
  const since = hours === 1 ? "1h" : hours === 24 ? "24h" : hours === 168 ? "7d" : undefined;
  const ended = total ? total.completed + total.failed + total.cancelled : null;
  const now = (stats?.by_status.running ?? 0) + (stats?.by_status.pending ?? 0);
  const split = (milliseconds: number | null | undefined): [string, string] => {
    if (milliseconds == null) return [t.app.none, ""];
    const [value, ...unit] = formatDuration(milliseconds).split(" ");
    return [value!, unit.join(" ")];
  };
  const numbers: { label: string; value: string; unit: string; note: string; search: Record<string, string | undefined> }[] = [
    { label: t.home.executions, value: ended === null ? t.app.none : formatNumber(ended), unit: "", note: t.home.window(hours), search: { since } },
    { label: t.home.completed, value: total?.success_rate == null ? t.app.none : (total.success_rate * 100).toFixed(1), unit: total?.success_rate == null ? "" : "%", note: total ? `${formatNumber(total.failed)} ${t.status.failed}` : "", search: { status: "failed", since } },
    { label: t.home.durationP95, value: split(total?.duration_ms.p95)[0], unit: split(total?.duration_ms.p95)[1], note: `p50 ${split(total?.duration_ms.p50).join(" ")}`, search: { since } },
    { label: t.home.queueP95, value: split(total?.queue_wait_ms.p95)[0], unit: split(total?.queue_wait_ms.p95)[1], note: `p50 ${split(total?.queue_wait_ms.p50).join(" ")}`, search: { since } },
    { label: t.home.runningNow, value: stats ? formatNumber(now) : t.app.none, unit: "", note: t.home.ofSlots, search: { status: "running,pending" } },
    { label: t.home.waitingNow, value: stats ? formatNumber(stats.by_status.waiting ?? 0) : t.app.none, unit: "", note: t.home.waitingHelp, search: { status: "waiting" } },
  ];
  return (
    <section className="card home-numbers" aria-labelledby="numbers">
      <header>
        <h2 id="numbers">{t.home.keyNumbers}</h2>
        <span className="grow" />
        <span className="t3 px-2">{t.home.window(hours)}</span>
      </header>
      <div className="stats">
        {numbers.map((number) => (
          <Link key={number.label} to="/executions" search={number.search}>
            <span className="lab">{number.label}</span>
            <span className="val">
              {number.value}
              {number.unit && <small>{number.unit}</small>}
            </span>
            <span className="dlt">{number.note}</span>
          </Link>
        ))}
      </div>
    </section>
  );
}

function useHours(stats: Stats): number[] {
  return useMemo(() => stats.hours.map(({ hour }) => Date.parse(hour) / 1000), [stats]);
}

/** The window of the figures, in seconds, a bar wide beyond its ends. */
function useRange(stats: Stats): [number, number] {
  return useMemo((): [number, number] => [Date.parse(stats.since) / 1000 - 1800, Date.parse(stats.until) / 1000 + 1800], [stats]);
}

const wholeNumber = (value: number): string => formatNumber(Math.round(value));

function Throughput({ stats }: { stats: Stats }) {
  const [table, setTable] = useState(false);
  const times = useHours(stats);
  const range = useRange(stats);
  const series = useMemo(
    () => [
      { label: t.status.completed, colour: "--status-completed", values: stats.hours.map(({ figures }) => figures.completed + figures.failed) },
      { label: t.status.failed, colour: "--status-failed", values: stats.hours.map(({ figures }) => figures.failed) },
    ],
    [stats],
  );
  return (
    <section className="card home-chart" aria-labelledby="throughput">
      <header>
        <h2 id="throughput">{t.home.perHour}</h2>
        <ul className="key">
          {(["completed", "failed"] as const).map((name) => (
            <li key={name}>
              <i style={{ background: `var(--status-${name})` }} />
              {t.status[name]}
            </li>
          ))}
        </ul>
        <span className="grow" />
        <TableToggle table={table} onChange={setTable} />
      </header>
      {stats.hours.length === 0 ? (
        <p className="help data-none">{t.home.noData}</p>
      ) : table ? (
        <HourTable stats={stats} columns={[[t.status.completed, (figures) => formatNumber(figures.completed)], [t.status.failed, (figures) => formatNumber(figures.failed)]]} />
      ) : (
        <Suspense fallback={<div className="plot" />}>
          <Chart times={times} range={range} series={series} bars format={wholeNumber} label={t.home.perHour} />
        </Suspense>
      )}
    </section>
  );
}

function Durations({ stats }: { stats: Stats }) {
  const [table, setTable] = useState(false);
  const times = useHours(stats);
  const range = useRange(stats);
  const series = useMemo(
    () => [
      { label: "p50", colour: "--chart-1", values: stats.hours.map(({ figures }) => figures.duration_ms.p50) },
      { label: "p95", colour: "--chart-2", values: stats.hours.map(({ figures }) => figures.duration_ms.p95) },
      { label: "p99", colour: "--chart-3", values: stats.hours.map(({ figures }) => figures.duration_ms.p99), dash: [4, 3] },
    ],
    [stats],
  );
  const show = (value: number | null): string => (value === null ? t.app.none : formatDuration(value));
  return (
    <section className="card home-chart" aria-labelledby="duration">
      <header>
        <h2 id="duration">{t.home.duration}</h2>
        <ul className="key">
          {["p50", "p95", "p99"].map((name, index) => (
            <li key={name}>
              <i style={{ background: `var(--chart-${index + 1})` }} />
              {name}
            </li>
          ))}
        </ul>
        <span className="grow" />
        <TableToggle table={table} onChange={setTable} />
      </header>
      {stats.hours.length === 0 ? (
        <p className="help data-none">{t.home.noData}</p>
      ) : table ? (
        <HourTable stats={stats} columns={[["p50", (figures) => show(figures.duration_ms.p50)], ["p95", (figures) => show(figures.duration_ms.p95)], ["p99", (figures) => show(figures.duration_ms.p99)]]} />
      ) : (
        <Suspense fallback={<div className="plot" />}>
          <Chart times={times} range={range} series={series} format={formatDuration} label={t.home.duration} />
        </Suspense>
      )}
    </section>
  );
}

function TableToggle({ table, onChange }: { table: boolean; onChange: (table: boolean) => void }) {
  return (
    <Button kind="quiet" icon label={table ? t.home.asChart : t.home.asTable} aria-pressed={table} onClick={() => onChange(!table)}>
      {table ? <ChartNoAxesColumn className="icon sm" aria-hidden="true" /> : <Table2 className="icon sm" aria-hidden="true" />}
    </Button>
  );
}

type Figures = Stats["total"];

function HourTable({ stats, columns }: { stats: Stats; columns: [string, (figures: Figures) => string][] }) {
  return (
    <div className="hour-table" tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t.home.hour}</th>
            {columns.map(([name]) => (
              <th key={name} scope="col" className="num">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...stats.hours].reverse().map(({ hour, figures }) => (
            <tr key={hour}>
              <td>{new Date(hour).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })}</td>
              {columns.map(([name, show]) => (
                <td key={name} className="num">
                  {show(figures)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ByWorkflow({ stats }: { stats: Stats }) {
  const rows = [...stats.workflows].sort((a, b) => b.figures.failed - a.figures.failed || b.figures.completed - a.figures.completed).slice(0, 8);
  return (
    <section className="card home-workflows" aria-labelledby="by-workflow">
      <header>
        <h2 id="by-workflow">{t.home.slowest}</h2>
      </header>
      {rows.length === 0 ? (
        <p className="help data-none">{t.home.noData}</p>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t.executions.workflow}</th>
              <th scope="col" className="num">{t.home.successRate}</th>
              <th scope="col" className="num">p95</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ workflow, name, figures }) => (
              <tr key={workflow}>
                <td>
                  <Link to="/executions" search={{ workflow }}>
                    {name}
                  </Link>
                </td>
                <td className="num">{figures.success_rate === null ? t.app.none : `${(figures.success_rate * 100).toFixed(1)} %`}</td>
                <td className="num">{figures.duration_ms.p95 === null ? t.app.none : formatDuration(figures.duration_ms.p95)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Recent({ rows }: { rows: readonly ExecutionSummary[] | undefined }) {
  return (
    <section className="card home-recent" aria-labelledby="recent">
      <header>
        <h2 id="recent">{t.home.recent}</h2>
        <span className="grow" />
        <Link to="/executions" className="link px-2">
          {t.home.allExecutions}
        </Link>
      </header>
      {!rows ? (
        <LoadingRows />
      ) : (
        <div className="table-scroll" tabIndex={0}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t.executions.status}</th>
                <th scope="col">{t.executions.workflow}</th>
                <th scope="col">{t.executions.why}</th>
                <th scope="col">{t.executions.started}</th>
                <th scope="col" className="num">{t.executions.took}</th>
                <th scope="col">{t.executions.version}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => {
                const took = elapsed(row.started_at, row.completed_at);
                return (
                  <tr key={row.id}>
                    <td>
                      <StatusText status={row.status} />
                    </td>
                    <td>
                      <Link to="/executions/$id" params={{ id: row.id }} className="b">
                        {row.workflow_name}
                      </Link>
                    </td>
                    <td className="t2">{row.trigger}</td>
                    <td className="t2" title={formatFull(row.started_at)}>
                      {formatAgo(row.started_at)}
                    </td>
                    <td className="num">{took === null ? t.app.none : formatDuration(took)}</td>
                    <td className="t2">{formatVersion(row.workflow_version, t.executions.draft)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

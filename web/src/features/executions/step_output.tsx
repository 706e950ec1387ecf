/** What a step gave in an execution: its output in whatever size, its error in three parts, its attempts. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";

import type { Task, TaskDetail } from "../../api/client";
import { sliceQuery, taskQuery } from "../../api/queries";
import type { Json } from "../../graph/document";
import { formatBytes, formatDuration, formatMoment, formatNumber } from "../../lib/format";
import { t } from "../../text";
import { Button } from "../../ui/controls";
import { ErrorState, LoadingRows } from "../../ui/states";
import { StatusGlyph } from "../../ui/status";
import { DataViewer } from "../data/viewer";
import { isTruncated, pointerOf } from "./large";

type Props = { execution: string; tasks: readonly Task[]; actions?: ReactNode; details?: boolean };

/** With several tasks (a `for_each` step) one of them is chosen by its number. */
export function StepOutput({ execution, tasks, actions, details = false }: Props) {
  const items = tasks.filter((task) => task.index !== null).sort((a, b) => a.index! - b.index!);
  const firstBad = items.find((task) => task.status === "failed");
  const [index, setIndex] = useState<number | null>(firstBad?.index ?? null);
  const task = items.length > 0 ? (items.find((item) => item.index === index) ?? firstBad ?? items[0]!) : tasks[0];
  if (!task) return <p className="help data-none">{t.data.empty}</p>;
  return (
    <section className="step-output" aria-label={`${task.step} ${t.execution.result}`}>
      {items.length > 1 && (
        <div className="row item-picker">
          <label htmlFor="item-index">{`${task.index! + 1} / ${formatNumber(items.length)}`}</label>
          <input id="item-index" type="range" min={0} max={items.length - 1} value={items.indexOf(task)} onChange={(event) => setIndex(items[Number(event.target.value)]!.index)} aria-label={`${task.step} ${t.execution.items(items.filter((item) => item.status === "completed").length, items.length, items.filter((item) => item.status === "failed").length)}`} />
        </div>
      )}
      <p className="help step-line">
        <StatusGlyph status={task.status} />
        {t.status[task.status]}
        {task.started_at && task.completed_at && `, ${formatDuration(Date.parse(task.completed_at) - Date.parse(task.started_at))}`}
        {isTruncated(task.result) && `, ${formatBytes(task.result.bytes)}`}
      </p>
      {task.error && <TaskErrorBox task={task} />}
      {task.status === "completed" && (isTruncated(task.result) ? <LargeResult execution={execution} task={task} bytes={task.result.bytes} actions={actions} /> : <DataViewer key={task.id} value={(task.result ?? null) as Json} label={`${task.step} ${t.execution.output}`} base={["steps", task.step, "output"]} actions={actions} />)}
      {details && <Details execution={execution} task={task} />}
    </section>
  );
}

export function TaskErrorBox({ task }: { task: Task }) {
  const { error } = task;
  if (!error) return null;
  return (
    <div className="task-error" role="alert">
      <p>
        <b>{error.title}</b> <code>{error.code}</code>
      </p>
      <p>{error.detail}</p>
      {error.details !== undefined && error.details !== null && <pre className="error-details">{JSON.stringify(error.details, null, 2)}</pre>}
      {(error.errors ?? []).map((issue, index) => (
        <p key={index}>
          <code>{issue.pointer}</code> {issue.message}
        </p>
      ))}
    </div>
  );
}

/** A result too large to send whole: its top level first, each part when it is opened. */
function LargeResult({ execution, task, bytes, actions }: { execution: string; task: Task; bytes: number; actions?: ReactNode }) {
  const [path, setPath] = useState("");
  const [offset, setOffset] = useState(0);
  const first = useQuery({ ...sliceQuery(execution, task.id, path, offset, 200), placeholderData: keepPreviousData });
  // A text is read in longer pieces than a list.
  const longer = useQuery({ ...sliceQuery(execution, task.id, path, offset, textPiece), enabled: first.data?.type === "string" && first.data.path === path && first.data.total > 200 });
  const { error, isPending, refetch } = first;
  const data = longer.data ?? first.data;
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (isPending || !data) return <LoadingRows />;
  const up = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
  const members = data.value !== null && typeof data.value === "object";
  const step = data.type === "string" ? textPiece : 200;
  return (
    <>
      <div className="row data-head">
        <span className="help">{t.data.large(formatBytes(bytes))}</span>
        <span className="grow" />
        {path !== "" && (
          <Button
            size="sm"
            onClick={() => {
              setPath(up);
              setOffset(0);
            }}
          >
            ..
          </Button>
        )}
        <code className="clip">{path || "/"}</code>
        {data.total > step && (
          <>
            <Button size="sm" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - step))}>
              ‹
            </Button>
            <span className="t3">
              {formatNumber(offset)}–{formatNumber(Math.min(data.total, offset + step))} / {formatNumber(data.total)}
            </span>
            <Button size="sm" disabled={offset + step >= data.total} onClick={() => setOffset(offset + step)}>
              ›
            </Button>
          </>
        )}
        {actions}
      </div>
      {members && (
        <ul className="slice-members">
          {Object.entries(data.value as { [name: string]: Json })
            .filter(([, inner]) => isTruncated(inner))
            .map(([name, inner]) => (
              <li key={name}>
                <button
                  type="button"
                  className="link"
                  onClick={() => {
                    setPath(pointerOf(path, name));
                    setOffset(0);
                  }}
                >
                  {name}
                </button>{" "}
                <span className="t3">{formatBytes((inner as unknown as { bytes: number }).bytes)}</span>
              </li>
            ))}
        </ul>
      )}
      <DataViewer key={`${data.path}@${data.offset}`} value={data.value as Json} label={`${task.step} ${t.execution.output}`} {...(data.offset === 0 ? { base: ["steps", task.step, "output", ...partsOf(data.path)] } : {})} />
    </>
  );
}

const textPiece = 20_000;

function partsOf(pointer: string): (string | number)[] {
  return pointer.split("/").slice(1).map((part) => (/^\d+$/.test(part) ? Number(part) : part.replace(/~1/g, "/").replace(/~0/g, "~")));
}

/** Attempts, the config as it was sent, the child execution: for the person looking for the cause. */
function Details({ execution, task }: { execution: string; task: Task }) {
  const { data } = useQuery({ ...taskQuery(execution, task.id), refetchInterval: task.completed_at ? false : 2000 });
  if (!data) return null;
  return (
    <>
      {data.child && (
        <p className="data-none">
          <Link to="/executions/$id" params={{ id: data.child }} className="link">
            {t.execution.openChild}
          </Link>
        </p>
      )}
      <Attempts detail={data} />
      {data.config !== null && data.config !== undefined && (
        <details className="fold">
          <summary>
            {t.execution.config} <span className="t3">{t.execution.configHelp}</span>
          </summary>
          <pre className="json-text">{JSON.stringify(data.config, null, 2)}</pre>
        </details>
      )}
      <p className="help data-none">
        Idempotency-Key <code>{data.idempotency_key}</code>
      </p>
    </>
  );
}

function Attempts({ detail }: { detail: TaskDetail }) {
  if (detail.attempts.length === 0) return null;
  return (
    <details className="fold" open={detail.attempts.length > 1}>
      <summary>
        {t.execution.attempts} <span className="count">{detail.attempts.length}</span>
      </summary>
      <ol className="attempts">
        {detail.attempts.map((attempt) => (
          <li key={attempt.attempt}>
            <span className="row">
              <StatusGlyph status={attempt.status === "completed" ? "completed" : attempt.status === "running" ? "running" : attempt.status === "cancelled" ? "cancelled" : "failed"} />
              {t.execution.attempt(attempt.attempt)} {attempt.status}
              <span className="grow" />
              <span className="t3 mono">{formatMoment(attempt.started_at ?? attempt.scheduled_at)}</span>
              {attempt.started_at && attempt.ended_at && <span className="t3">{formatDuration(Date.parse(attempt.ended_at) - Date.parse(attempt.started_at))}</span>}
            </span>
            {attempt.error && (
              <p className="t2">
                <code>{attempt.error.code}</code> {attempt.error.detail}
              </p>
            )}
          </li>
        ))}
      </ol>
    </details>
  );
}

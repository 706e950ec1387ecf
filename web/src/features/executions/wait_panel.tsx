/** What an execution waits for from outside: approvals to decide, signals to send. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, idempotent, unwrap, type Task } from "../../api/client";
import { taskQuery } from "../../api/queries";
import type { Json } from "../../graph/document";
import { formatTime } from "../../lib/format";
import { t } from "../../text";
import { CodeField } from "../../ui/code";
import { Button } from "../../ui/controls";
import { ErrorState } from "../../ui/states";

export function WaitPanel({ execution, task }: { execution: string; task: Task }) {
  const { data } = useQuery(taskQuery(execution, task.id));
  if (!data?.wait) return null;
  const { kind, name, due } = data.wait;
  const until = due ? <span className="t3">{t.execution.waitsUntil(formatTime(due))}</span> : null;
  if (kind === "approval" || task.step_type === "approval") return <Approval execution={execution} task={task} config={(data.config ?? {}) as { [name: string]: Json }} until={until} />;
  if (kind === "signal" || task.step_type === "wait_signal") return <Signal execution={execution} name={name} until={until} />;
  return <p className="data-none">{until}</p>;
}

function Approval({ execution, task, config, until }: { execution: string; task: Task; config: { [name: string]: Json }; until: React.ReactNode }) {
  const [comment, setComment] = useState("");
  const decide = useMutation({
    mutationFn: (approved: boolean) => unwrap(api.POST("/api/executions/{id}/tasks/{task}/decide/", { params: { path: { id: execution, task: task.id }, header: idempotent() }, body: { approved, comment } })),
  });
  return (
    <div className="form" role="group" aria-label={String(config.title ?? task.step)}>
      <p>
        <b>{String(config.title ?? task.step)}</b> {until}
      </p>
      {config.text !== undefined && <p className="t2">{String(config.text)}</p>}
      <textarea className="input" rows={2} aria-label={t.execution.comment} placeholder={t.execution.comment} value={comment} onChange={(event) => setComment(event.target.value)} />
      <div className="row">
        <Button kind="primary" disabled={decide.isPending} onClick={() => decide.mutate(true)}>
          {t.execution.approve}
        </Button>
        <Button disabled={decide.isPending} onClick={() => decide.mutate(false)}>
          {t.execution.reject}
        </Button>
      </div>
      {decide.error && <ErrorState error={decide.error} />}
    </div>
  );
}

function Signal({ execution, name, until }: { execution: string; name: string; until: React.ReactNode }) {
  const [text, setText] = useState("null");
  let payload: { value: Json } | null = null;
  try {
    payload = { value: JSON.parse(text) as Json };
  } catch {
    payload = null;
  }
  const send = useMutation({
    mutationFn: () => unwrap(api.POST("/api/executions/{id}/signals/{name}/", { params: { path: { id: execution, name }, header: idempotent() }, body: payload!.value as never })),
  });
  return (
    <div className="form" role="group" aria-label={t.execution.signalName(name)}>
      <p>
        <b>{t.execution.signalName(name)}</b> {until}
      </p>
      <CodeField value={text} onChange={setText} label={t.execution.payload} language="json" />
      <div className="row">
        <Button kind="primary" disabled={payload === null || send.isPending} onClick={() => send.mutate()}>
          {t.execution.signal}
        </Button>
      </div>
      {send.error && <ErrorState error={send.error} />}
    </div>
  );
}

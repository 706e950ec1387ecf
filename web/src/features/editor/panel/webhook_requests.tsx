/** What came to a webhook, and a URL at which the draft can be tried. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, idempotent, unwrap, type WebhookRequest } from "../../../api/client";
import { keys, queryClient, webhookListenerQuery, webhookRequestsQuery } from "../../../api/queries";
import type { Json } from "../../../graph/document";
import { formatTime } from "../../../lib/format";
import { t } from "../../../text";
import { Button, CopyButton } from "../../../ui/controls";
import { toast } from "../../../ui/toast";
import { useEditor, useEditorState } from "../store";

type Props = { workflow: string; trigger: string };

/** "Waiting for a request": live, for ten minutes, whatever is published. */
export function WebhookTest({ workflow, trigger, readOnly }: Props & { readOnly: boolean }) {
  const isSaved = useEditorState((state) => state.saveState === "saved");
  const [run, setRun] = useState(false);
  const { data } = useQuery({ ...webhookListenerQuery(workflow, trigger), enabled: isSaved });
  const arm = useMutation({
    mutationFn: (seconds: number) => unwrap(api.POST("/api/webhooks/{id}/{trigger}/listen/", { params: { path: { id: workflow, trigger } }, body: { seconds, run } as never })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: [...keys.workflow(workflow), "webhooks", trigger, "listener"] }),
    onError: (error) => toast(error.message),
  });
  const url = data ? window.location.origin + data.path : "";
  return (
    <section className="hook-requests hook-test" aria-label={t.webhook.tryTitle}>
      <h3>{t.webhook.tryTitle}</h3>
      {data?.listening && data.until ? (
        <div className="hook-where" data-live="" role="status">
          <p>
            <i className="dot-live" /> {t.webhook.listening(formatTime(data.until))}
          </p>
          <p className="hook-url">
            <code>{url}</code> <CopyButton text={url} label={t.webhook.copyTest} />
          </p>
        </div>
      ) : (
        <p className="help">{t.webhook.tryText}</p>
      )}
      {!readOnly && (
        <div className="row gap-2">
          <Button size="sm" disabled={!isSaved || arm.isPending} onClick={() => arm.mutate(data?.listening ? 0 : 600)}>
            {data?.listening ? t.webhook.stop : t.webhook.listen}
          </Button>
          {!data?.listening && (
            <label className="row gap-1">
              <input type="checkbox" checked={run} onChange={(event) => setRun(event.target.checked)} />
              {t.webhook.runsDraft}
            </label>
          )}
        </div>
      )}
    </section>
  );
}

/** The last requests, as they come. */
export function WebhookRequests({ workflow, trigger }: Props) {
  const { data = [] } = useQuery(webhookRequestsQuery(workflow, trigger));
  return (
    <section className="hook-requests" aria-label={t.webhook.requests}>
      <h3>{t.webhook.requests}</h3>
      {data.length === 0 && <p className="help">{t.webhook.waiting}</p>}
      <ul>
        {data.slice(0, 20).map((request) => (
          <Request key={request.number} workflow={workflow} trigger={trigger} request={request} />
        ))}
      </ul>
    </section>
  );
}

function Request({ workflow, trigger, request }: Props & { request: WebhookRequest }) {
  const editor = useEditor();
  const givesBody = useEditorState((state) => {
    const config = state.history.document.triggers?.find((other) => other.id === trigger)?.trigger_config ?? {};
    return config.input === "body" || (config.input === undefined && state.history.document.inputs !== undefined && config.raw !== true);
  });
  const replay = useMutation({
    mutationFn: () => unwrap(api.POST("/api/webhooks/{id}/{trigger}/requests/{number}/replay/", { params: { path: { id: workflow, trigger, number: request.number }, header: idempotent() } })),
    onSuccess: (execution) => {
      editor.setState({ sampleId: execution.id, sampleInput: null });
      toast(t.webhook.replayed);
    },
    onError: (error) => toast(error.message),
  });
  const use = (): void => {
    const whole = request.request as { [name: string]: Json };
    editor.setState(request.execution_id ? { sampleId: request.execution_id, sampleInput: null } : { sampleInput: givesBody ? (whole.body ?? null) : whole });
    toast(t.webhook.used);
  };
  return (
    <li>
      <details>
        <summary>
          <span className="t3">{formatTime(request.at)}</span> <b>{request.method}</b> <span className="grow">{t.webhook.outcomes[request.outcome] ?? request.outcome}</span>
          {request.test && <span className="tick-note">{t.webhook.test}</span>} <span data-bad={request.status >= 400 ? "" : undefined}>{request.status}</span>
        </summary>
        {request.request ? <pre>{JSON.stringify(request.request, null, 2)}</pre> : <p className="help">{t.webhook.notKept(request.body_bytes)}</p>}
        <div className="row gap-1">
          {(request.execution_id ?? request.request) && (
            <Button size="sm" onClick={use}>
              {t.webhook.useData}
            </Button>
          )}
          {request.request && (
            <Button size="sm" onClick={() => replay.mutate()}>
              {t.webhook.replay}
            </Button>
          )}
        </div>
      </details>
    </li>
  );
}

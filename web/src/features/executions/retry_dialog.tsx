/** One dialog to retry: from where, with which version, with which input; the plan is made by the server and shown on the graph behind. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { RotateCcw, TriangleAlert, X } from "lucide-react";
import { useEffect, useMemo, useState } from "react";

import { api, idempotent, unwrap, type Execution } from "../../api/client";
import { keys, queryClient } from "../../api/queries";
import { findStep, type Json, type WorkflowDocument } from "../../graph/document";
import { formatVersion } from "../../lib/format";
import { t } from "../../text";
import { CodeField } from "../../ui/code";
import { Button, Segmented } from "../../ui/controls";
import { ErrorState } from "../../ui/states";
import { StatusGlyph } from "../../ui/status";

export type RetryPlan = { run: string[]; reuse: { step: string; source: string }[]; skip: string[]; repeats?: { step: string; reason: string }[]; in_place?: boolean };

type Props = { execution: Execution; document: WorkflowDocument; published: number | null; onPlan: (plan: RetryPlan | null) => void; onClose: () => void; initialStep: string | null };

export function RetryDialog({ execution, document, published, onPlan, onClose, initialStep }: Props) {
  const navigate = useNavigate();
  const failed = execution.status === "failed" || execution.status === "cancelled";
  const [from, setFrom] = useState<"failed" | "start" | "step">(initialStep ? "step" : failed ? "failed" : "start");
  const [step, setStep] = useState(initialStep ?? document.steps[0]?.id ?? "");
  const [version, setVersion] = useState<"same" | "published" | "draft">("same");
  const [edited, setEdited] = useState(false);
  const [text, setText] = useState(() => JSON.stringify(execution.input ?? {}, null, 2));
  const input = useMemo((): { value: Json } | null => {
    try {
      return { value: JSON.parse(text) as Json };
    } catch {
      return null;
    }
  }, [text]);
  const usesInput = edited && from === "start";
  const body = { from: from === "step" ? step : from, version, ...(usesInput && input ? { input: input.value } : {}) };
  const plan = useQuery({
    queryKey: ["retry-plan", execution.id, execution.status, body],
    queryFn: ({ signal }) =>
      unwrap(api.POST("/api/executions/{id}/retry/", { signal, params: { path: { id: execution.id }, header: idempotent() }, body: { ...body, dry_run: true } as never })) as unknown as Promise<RetryPlan>,
    retry: false,
    gcTime: 0,
    enabled: !usesInput || input !== null,
  });
  useEffect(() => onPlan(plan.data ?? null), [plan.data, onPlan]);
  useEffect(() => () => onPlan(null), [onPlan]);
  const retry = useMutation({
    mutationFn: () => unwrap(api.POST("/api/executions/{id}/retry/", { params: { path: { id: execution.id }, header: idempotent() }, body: body as never })) as Promise<Execution>,
    onSuccess: (next) => {
      void queryClient.invalidateQueries({ queryKey: keys.executions });
      onClose();
      if (next.id !== execution.id) void navigate({ to: "/executions/$id", params: { id: next.id } });
    },
  });
  const nameOf = (id: string): string => findStep(document, id)?.name ?? id;
  const versionText = formatVersion(execution.workflow_version, t.executions.draft);
  return (
    <section
      className="dialog retry"
      role="dialog"
      aria-labelledby="retry-title"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      <header className="dlg-head">
        <h2 id="retry-title">{t.retry.title}</h2>
        <Button kind="quiet" icon label={t.app.close} onClick={onClose} autoFocus>
          <X className="icon sm" aria-hidden="true" />
        </Button>
      </header>
      <div className="body">
        <div className="opt-row">
          <span className="label">{t.retry.from}</span>
          <Segmented
            label={t.retry.from}
            value={from}
            onChange={setFrom}
            options={[
              { value: "failed", text: t.retry.failed, disabled: !failed },
              { value: "start", text: t.retry.start },
              { value: "step", text: t.retry.step },
            ]}
          />
        </div>
        {from === "step" && (
          <select className="input select" aria-label={t.retry.step} value={step} onChange={(event) => setStep(event.target.value)}>
            {document.steps.map((candidate) => (
              <option key={candidate.id} value={candidate.id}>
                {candidate.name ?? candidate.id}
              </option>
            ))}
          </select>
        )}
        <div className="opt-row">
          <span className="label">{t.retry.version}</span>
          <Segmented
            label={t.retry.version}
            value={version}
            onChange={setVersion}
            options={[
              { value: "same", text: t.retry.same(versionText) },
              { value: "published", text: t.retry.published(published === null ? "" : `v${published}`), disabled: published === null },
              { value: "draft", text: t.retry.draft },
            ]}
          />
        </div>
        <div className="opt-row">
          <span className="label">{t.retry.input}</span>
          <Segmented
            label={t.retry.input}
            value={usesInput ? "edited" : "same"}
            onChange={(next) => setEdited(next === "edited")}
            options={[
              { value: "same", text: t.retry.sameInput },
              { value: "edited", text: t.retry.edited, disabled: from !== "start" },
            ]}
          />
        </div>
        {usesInput && (
          <>
            <CodeField value={text} onChange={setText} label={t.retry.input} language="json" />
            {input === null && <p className="help bad">{t.retry.badInput}</p>}
          </>
        )}
        {plan.error && <ErrorState error={plan.error} />}
        {plan.data && (
          <div className="plan">
            <h3>
              {t.retry.plan}
              <b>
                {t.retry.planSum(plan.data.reuse.length, plan.data.run.length)}
              </b>
            </h3>
            {plan.data.reuse.length > 0 && (
              <ul className="p-reuse">
                {plan.data.reuse.slice(0, 12).map(({ step: id }) => (
                  <li key={id}>
                    <StatusGlyph status="completed" />
                    <span className="clip">{nameOf(id)}</span>
                  </li>
                ))}
              </ul>
            )}
            <ol className="p-run">
              {plan.data.run.slice(0, 12).map((id, index) => (
                <li key={id}>
                  <i>{index + 1}</i>
                  <b className="clip">{nameOf(id)}</b>
                  <span className="t3" />
                </li>
              ))}
              {plan.data.run.length > 12 && <li className="t3">{t.data.more(plan.data.run.length - 12)}</li>}
            </ol>
          </div>
        )}
        {(plan.data?.repeats ?? []).map(({ step: id, reason }) => (
          <p key={id} className="caution">
            <TriangleAlert className="icon" aria-hidden="true" />
            <span>
              <b>{nameOf(id)}</b> {reason || t.retry.repeats}
            </span>
          </p>
        ))}
        {retry.error && <ErrorState error={retry.error} />}
      </div>
      <footer className="dlg-foot">
        <span className="grow">{plan.data?.in_place || (from === "failed" && version === "same") ? t.retry.inPlace : t.retry.anew}</span>
        <Button onClick={onClose}>{t.app.cancel}</Button>
        <Button kind="primary" disabled={retry.isPending || (usesInput && input === null)} onClick={() => retry.mutate()}>
          <RotateCcw className="icon sm" aria-hidden="true" />
          {plan.data ? t.retry.run(plan.data.run.length) : t.retry.title}
        </Button>
      </footer>
    </section>
  );
}

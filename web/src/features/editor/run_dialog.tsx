/** Before a run: its input, as a form or JSON, and for a part of the workflow the plan of what runs and what is reused. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import type { ApiError } from "../../api/client";
import { sampleOf } from "../../graph/completion";
import { findStep, type Json, type JsonObject, type WorkflowDocument } from "../../graph/document";
import { t } from "../../text";
import { CodeField } from "../../ui/code";
import { Button, Dialog } from "../../ui/controls";
import { ErrorState, LoadingRows } from "../../ui/states";
import type { Plan } from "./store";
import type { RunWish } from "./use_run";

type Props = {
  document: WorkflowDocument;
  wish: Omit<RunWish, "input">;
  lastInput: Json | undefined;
  planFor: (wish: RunWish) => Promise<Plan>;
  onPlan: (plan: Plan | null) => void;
  onRun: (wish: RunWish) => Promise<void>;
  onClose: () => void;
};

export function RunDialog({ document, wish, lastInput, planFor, onPlan, onRun, onClose }: Props) {
  const [text, setText] = useState(() => JSON.stringify(lastInput ?? sampleOf(document.inputs as Json) ?? {}, null, 2));
  const input = useMemo(() => parse(text), [text]);
  const plan = useQuery({
    queryKey: ["plan", document, wish, text],
    queryFn: async () => {
      const made = await planFor({ ...wish, input: input!.value });
      onPlan(made);
      return made;
    },
    enabled: input !== null && wish.partial !== undefined,
    retry: false,
    gcTime: 0,
  });
  const start = useMutation({ mutationFn: () => onRun({ ...wish, input: input!.value }), onSuccess: onClose });
  const title = !wish.partial ? t.editor.runWithInput : { to: t.editor.runTo, only: t.editor.runOnly, from: t.editor.runFrom }[wish.partial.mode];
  const error = (start.error ?? plan.error) as ApiError | null;
  return (
    <Dialog
      title={title}
      open
      onClose={() => {
        onPlan(null);
        onClose();
      }}
      footer={
        <>
          <Button
            size="lg"
            onClick={() => {
              onPlan(null);
              onClose();
            }}
          >
            {t.app.cancel}
          </Button>
          <Button kind="primary" size="lg" disabled={input === null || start.isPending || (wish.partial !== undefined && !plan.data)} onClick={() => start.mutate()}>
            {plan.data ? t.retry.run(plan.data.run.length) : t.run.start}
          </Button>
        </>
      }
    >
      <div className="field">
        <div className="field-head">
          <span className="label">{t.run.input}</span>
        </div>
        <CodeField value={text} onChange={setText} label={t.run.input} language="json" />
        {input === null && <p className="help bad">{t.panel.invalidJson}</p>}
        {inputHelp(document.inputs) && <p className="help">{inputHelp(document.inputs)}</p>}
      </div>
      {wish.partial &&
        (plan.isFetching && !plan.data ? (
          <LoadingRows rows={2} />
        ) : (
          plan.data && (
            <div className="run-plan" role="status">
              <b>{t.retry.planSum(plan.data.reuse.length, plan.data.run.length)}</b>
              <ol>
                {plan.data.run.map((id, index) => (
                  <li key={id}>
                    <span className="n-run">{index + 1}</span>
                    {findStep(document, id)?.name ?? id}
                  </li>
                ))}
              </ol>
            </div>
          )
        ))}
      {error && <ErrorState error={error} />}
    </Dialog>
  );
}

function parse(text: string): { value: Json } | null {
  try {
    return { value: text.trim() === "" ? {} : (JSON.parse(text) as Json) };
  } catch {
    return null;
  }
}

function inputHelp(schema: JsonObject | undefined): string {
  const required = schema?.required;
  return Array.isArray(required) && required.length > 0 ? `${t.panel.required}: ${required.join(", ")}` : "";
}

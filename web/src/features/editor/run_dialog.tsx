/** Before a run: its input, as a form or JSON, and for a part of the workflow the plan of what runs and what is reused. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import type { ApiError } from "../../api/client";
import { findStep, type Json, type WorkflowDocument } from "../../graph/document";
import { startInput } from "../../graph/inputs";
import { t } from "../../text";
import { Button, Dialog } from "../../ui/controls";
import { ErrorState, LoadingRows } from "../../ui/states";
import { readInput, RunInputField } from "../forms/run_input";
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
  const [text, setText] = useState(() => JSON.stringify(lastInput ?? startInput(document.inputs), null, 2));
  const [tried, setTried] = useState(false);
  const input = useMemo(() => readInput(text, document.inputs), [text, document.inputs]);
  const fits = input.value !== null && input.problems.length === 0;
  const plan = useQuery({
    queryKey: ["plan", document, wish, text],
    queryFn: async () => {
      const made = await planFor({ ...wish, input: input.value!.value });
      onPlan(made);
      return made;
    },
    enabled: fits && wish.partial !== undefined,
    retry: false,
    gcTime: 0,
  });
  const start = useMutation({ mutationFn: () => onRun({ ...wish, input: input.value!.value }), onSuccess: onClose });
  const run = (): void => {
    setTried(true);
    if (fits && !start.isPending) start.mutate();
  };
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
          <Button kind="primary" size="lg" disabled={input.value === null || start.isPending || (fits && wish.partial !== undefined && !plan.data)} onClick={run}>
            {plan.data ? t.retry.run(plan.data.run.length) : t.run.start}
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run();
        }}
      >
        <RunInputField schema={document.inputs} input={input} shown={tried} onChange={setText} />
        <button type="submit" hidden />
      </form>
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

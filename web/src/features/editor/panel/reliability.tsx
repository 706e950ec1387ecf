/** Retries, time-out and what a failure means, with a sentence in plain words and the ladder of attempts. */
import { X } from "lucide-react";
import { useId, useState } from "react";

import type { TaskType } from "../../../api/client";
import { findStep, type RetryConfig, type Step, type WorkflowDocument } from "../../../graph/document";
import { setField } from "../../../graph/edits";
import { attemptTimes, endingOf, type Ending } from "../../../graph/reliability";
import { formatDuration } from "../../../lib/format";
import { t } from "../../../text";
import { useEditor } from "../store";

export function sentenceOf(step: Step, ending: Ending): { head: string; tail: string } {
  const times = attemptTimes(step.retry_config);
  const tail = ending === "error" ? t.reliability.thenError : ending === "continue" ? t.reliability.thenContinue : t.reliability.thenFail;
  if (times.length === 1) return { head: t.reliability.once, tail };
  const over = times.at(-1)! * 1000;
  return { head: over > 0 ? t.reliability.tries(times.length, formatDuration(over)) : t.reliability.triesAtOnce(times.length), tail };
}

type Props = { step: Step; type: TaskType | undefined; document: WorkflowDocument; wired: ReadonlySet<string> | undefined; readOnly: boolean };

export function Reliability({ step, type, document, wired, readOnly }: Props) {
  const editor = useEditor();
  const id = useId();
  const [code, setCode] = useState("");
  const retry = step.retry_config;
  const ending = endingOf(step, wired);
  const { head, tail } = sentenceOf(step, ending);
  const set = (change: Partial<RetryConfig>): void => {
    const next: RetryConfig = { ...retry, ...change };
    for (const name of Object.keys(next) as (keyof RetryConfig)[]) if (next[name] === undefined) delete next[name];
    editor.edit(t.labels.reliability, setField(step.id, "retry_config", Object.keys(next).length > 0 ? next : undefined), `${step.id}/retry`);
  };
  const number = (key: string, label: string, value: number | undefined, preset: string, unit: string, minimum: number, change: (value: number | undefined) => void) => (
    <div className="field">
      <div className="field-head">
        <label htmlFor={`${id}-${key}`}>{label}</label>
      </div>
      <div className="input">
        <input id={`${id}-${key}`} className="bare" type="number" step="any" min={minimum} value={value ?? ""} placeholder={preset} onChange={(event) => change(event.target.value === "" ? undefined : Number(event.target.value))} />
        {unit && <span className="unit">{unit}</span>}
      </div>
    </div>
  );
  const codes = retry?.non_retryable ?? [];
  const targets = document.steps.filter((other) => other.depends_on?.some((entry) => typeof entry !== "string" && entry.step === step.id && entry.when === "error")).map((other) => other.name ?? other.id);
  return (
    <form className="form" aria-label={t.panel.reliability} onSubmit={(event) => event.preventDefault()}>
      <fieldset disabled={readOnly} className="grid gap-3.5">
        <p className="sentence" role="status">
          <b>{head}</b> {tail}
        </p>
        <Ladder times={attemptTimes(retry)} />
        <div className="three">
          {number("attempts", t.reliability.attempts, retry?.max_attempts, retry ? "3" : "1", "", 1, (value) => set({ max_attempts: value }))}
          {number("first", t.reliability.firstWait, retry?.initial_delay_seconds, "1", t.reliability.seconds, 0, (value) => set({ initial_delay_seconds: value }))}
          {number("grows", t.reliability.grows, retry?.backoff, "2", t.reliability.times, 1, (value) => set({ backoff: value }))}
          {number("longest", t.reliability.longest, retry?.max_delay_seconds, "60", t.reliability.seconds, 0, (value) => set({ max_delay_seconds: value }))}
          {number("giveup", t.reliability.giveUp, retry?.max_elapsed_seconds, t.app.none, t.reliability.seconds, 0, (value) => set({ max_elapsed_seconds: value }))}
          {number("timeout", t.reliability.timeout, step.timeout_seconds, "300", t.reliability.each, 0.001, (value) => editor.edit(t.labels.reliability, setField(step.id, "timeout_seconds", value), `${step.id}/timeout`))}
        </div>
        <label className="row">
          <input className="switch" type="checkbox" role="switch" checked={retry?.jitter ?? true} onChange={(event) => set({ jitter: event.target.checked ? undefined : false } as Partial<RetryConfig>)} />
          {t.reliability.jitter}
        </label>
        <div className="field">
          <div className="field-head">
            <label htmlFor={`${id}-codes`}>{t.reliability.never}</label>
          </div>
          <div className="input codes">
            {codes.map((name) => (
              <span key={name} className="code-chip">
                {name}
                <button type="button" aria-label={`${t.panel.remove} ${name}`} onClick={() => set({ non_retryable: codes.length > 1 ? codes.filter((other) => other !== name) : undefined } as Partial<RetryConfig>)}>
                  <X className="icon xs" aria-hidden="true" />
                </button>
              </span>
            ))}
            <input
              id={`${id}-codes`}
              className="bare"
              value={code}
              placeholder={t.reliability.addCode}
              onChange={(event) => setCode(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== "Enter" || code.trim() === "") return;
                event.preventDefault();
                set({ non_retryable: [...codes.filter((other) => other !== code.trim()), code.trim()] });
                setCode("");
              }}
            />
          </div>
          <p className="help">{t.reliability.neverHelp}</p>
        </div>
        <fieldset className="field">
          <div className="field-head">
            <legend className="label">{t.reliability.onError}</legend>
          </div>
          <div className="radios">
            <label>
              <input className="radio" type="radio" name={`${id}-error`} checked={ending === "fail"} disabled={ending === "error"} onChange={() => editor.edit(t.labels.reliability, setField(step.id, "on_error", undefined))} />
              {t.reliability.fail}
            </label>
            <label>
              <input className="radio" type="radio" name={`${id}-error`} checked={ending === "continue"} disabled={ending === "error"} onChange={() => editor.edit(t.labels.reliability, setField(step.id, "on_error", "continue"))} />
              {t.reliability.continue}
              <small>{t.reliability.continueHelp(step.id)}</small>
            </label>
            <label>
              <input className="radio" type="radio" name={`${id}-error`} checked={ending === "error"} readOnly disabled={ending !== "error"} />
              {t.reliability.errorPath}
              <small>{targets.length > 0 ? t.reliability.errorPathHelp(targets.join(", ")) : t.reliability.errorPathNone}</small>
            </label>
          </div>
          {ending !== "error" && <AddErrorPath step={step} document={document} />}
        </fieldset>
        <div className="field">
          <div className="field-head">
            <label htmlFor={`${id}-undo`}>{t.reliability.undoWith}</label>
          </div>
          <select id={`${id}-undo`} className="input select" value={step.compensate ?? ""} onChange={(event) => editor.edit(t.labels.reliability, setField(step.id, "compensate", event.target.value || undefined))}>
            <option value="">{t.reliability.noStep}</option>
            {document.steps
              .filter((other) => other.id !== step.id)
              .map((other) => (
                <option key={other.id} value={other.id}>
                  {findStep(document, other.id)?.name ?? other.id}
                </option>
              ))}
          </select>
          <p className="help">{t.reliability.undoHelp}</p>
        </div>
        <p className="help">{type?.idempotent === false ? t.reliability.notIdempotent : t.reliability.key}</p>
      </fieldset>
    </form>
  );
}

/** The error port shows on the canvas once it is wired; this wires it without a pointer. */
function AddErrorPath({ step, document }: { step: Step; document: WorkflowDocument }) {
  const editor = useEditor();
  const others = document.steps.filter((other) => other.id !== step.id && !(other.depends_on ?? []).some((entry) => (typeof entry === "string" ? entry : entry.step) === step.id));
  if (others.length === 0) return null;
  return (
    <select
      className="input select"
      aria-label={t.reliability.errorPath}
      value=""
      onChange={(event) => {
        const target = event.target.value;
        if (!target) return;
        editor.edit(t.labels.connect(step.name ?? step.id, target), (draft) => {
          const found = findStep(draft, target);
          if (found) found.depends_on = [...(found.depends_on ?? []), { step: step.id, when: "error" }];
        });
      }}
    >
      <option value="">{t.reliability.errorPath}…</option>
      {others.map((other) => (
        <option key={other.id} value={other.id}>
          {other.name ?? other.id}
        </option>
      ))}
    </select>
  );
}

function Ladder({ times }: { times: readonly number[] }) {
  if (times.length < 2) return null;
  const last = Math.log1p(times.at(-1)!) || 1;
  const x = (time: number): number => 9 + (Math.log1p(time) / last) * 250;
  const shown = times.slice(0, 12);
  return (
    <svg className="ladder" viewBox="0 0 320 44" role="img" aria-label={t.reliability.ladder(shown.map((time) => formatDuration(time * 1000)).join(", "))}>
      <path className="w" d={`M9 12H${x(shown.at(-1)!)}`} />
      <path className="x" d={`M${x(shown.at(-1)!) + 6} 12H312`} />
      {shown.map((time, index) => (
        <g key={index}>
          <circle className="d" cx={x(time)} cy="12" r="5" />
          {(index === 0 || x(time) - x(shown[index - 1]!) > 34) && (
            <text x={x(time)} y="38" textAnchor="middle">
              {time === 0 ? "0" : formatDuration(time * 1000)}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}

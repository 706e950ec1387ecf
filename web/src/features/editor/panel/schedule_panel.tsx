/** A schedule: when it fires, in words, in cron and as the next times; what happens when something is in the way; what became of its ticks. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useMemo } from "react";

import { scheduleFiresQuery, schedulePreviewQuery, schedulesQuery } from "../../../api/queries";
import type { Json, Trigger } from "../../../graph/document";
import { setTrigger, setTriggerConfig } from "../../../graph/edits";
import { formatTime } from "../../../lib/format";
import { t } from "../../../text";
import { Field } from "../../../ui/controls";
import { ScheduleControls, toClock } from "../../../ui/schedule_controls";
import { useEditor, useEditorState } from "../store";
import { Choice } from "./choice";
import { TriggerHead } from "./trigger_head";

const presets = { hourly: "0 * * * *", daily: "0 6 * * *", workdays: "0 6 * * MON-FRI", weekly: "0 6 * * MON", monthly: "0 6 1 * *", lastDay: "0 18 LW * *" } as const;
const overlaps = ["skip", "queue_one", "queue_all", "cancel_running", "allow"] as const;
const kinds = ["cron", "every", "at"] as const;
const catchUps = ["skip", "latest", "all"] as const;

type Props = { trigger: Trigger; readOnly: boolean };

export function SchedulePanel({ trigger, readOnly }: Props) {
  const editor = useEditor();
  const id = useId();
  const workflow = useEditorState((state) => state.id);
  const config = trigger.trigger_config ?? {};
  const text = (name: string): string => (typeof config[name] === "string" ? config[name] : "");
  const set = (name: string, value: Json | undefined): void => editor.edit(t.labels.editTrigger(trigger.id), setTriggerConfig(trigger.id, name, value), `${trigger.id}/${name}`);
  const zones = useMemo(() => ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")], []);
  const kind = config.at !== undefined ? "at" : config.every_seconds !== undefined ? "every" : "cron";
  const change = (next: (typeof kinds)[number]): void =>
    editor.edit(t.labels.editTrigger(trigger.id), (draft) => {
      for (const name of ["cron", "every_seconds", "at"]) setTriggerConfig(trigger.id, name, undefined)(draft);
      const inAnHour = new Date(Math.ceil(Date.now() / 3_600_000 + 1) * 3_600_000).toISOString();
      const [name, value] = next === "cron" ? ["cron", presets.daily] : next === "every" ? ["every_seconds", 3600] : ["at", inAnHour];
      setTriggerConfig(trigger.id, name as string, value as Json)(draft);
    });
  const usual = kind === "at" ? "latest" : "skip";
  const preset = Object.entries(presets).find(([, cron]) => cron === config.cron)?.[0] ?? "";
  return (
    <>
      <TriggerHead type="schedule" title={t.schedule.title} id={trigger.id} />
      <div className="dock-scroll">
        <Next workflow={workflow} trigger={trigger} />
        <form className="form" aria-label={t.schedule.title} onSubmit={(event) => event.preventDefault()}>
          <fieldset disabled={readOnly} className="grid gap-3.5">
            <Choice id={`${id}-kind`} label={t.schedule.kind} value={kind} choices={kinds} words={t.schedule.kinds} onChange={(next) => change(next)} />
            {kind === "cron" && (
              <>
                <Field label={t.schedule.words} id={`${id}-words`}>
                  <select id={`${id}-words`} className="input select" value={preset} onChange={(event) => event.target.value && set("cron", presets[event.target.value as keyof typeof presets])}>
                    <option value="">{t.schedule.own}</option>
                    {Object.keys(presets).map((name) => (
                      <option key={name} value={name}>
                        {t.schedule.presets[name as keyof typeof presets]}
                      </option>
                    ))}
                  </select>
                </Field>
                <Field label={t.schedule.cron} id={`${id}-cron`} help={t.schedule.cronHelp}>
                  <input id={`${id}-cron`} className="input" spellCheck={false} value={text("cron")} onChange={(event) => set("cron", event.target.value || undefined)} />
                </Field>
              </>
            )}
            {kind === "every" && (
              <Field label={t.schedule.every} id={`${id}-every`}>
                <input id={`${id}-every`} className="input" type="number" min={1} value={typeof config.every_seconds === "number" ? config.every_seconds : ""} onChange={(event) => set("every_seconds", event.target.value === "" ? 1 : Number(event.target.value))} />
              </Field>
            )}
            {kind === "at" && (
              <Field label={t.schedule.at} id={`${id}-at`}>
                <input id={`${id}-at`} className="input" type="datetime-local" value={toInput(text("at"))} onChange={(event) => event.target.value && set("at", new Date(event.target.value).toISOString())} />
              </Field>
            )}
            <Field label={t.schedule.zone} id={`${id}-zone`}>
              <select id={`${id}-zone`} className="input select" value={text("timezone") || "UTC"} onChange={(event) => set("timezone", event.target.value === "UTC" ? undefined : event.target.value)}>
                {zones.map((zone) => (
                  <option key={zone}>{zone}</option>
                ))}
              </select>
            </Field>
            <Choice id={`${id}-overlap`} label={t.schedule.overlap} value={text("overlap") || "skip"} choices={overlaps} words={t.schedule.overlaps} onChange={(value) => set("overlap", value === "skip" ? undefined : value)} />
            <Choice id={`${id}-catch`} label={t.schedule.catchUp} value={text("catch_up") || usual} choices={catchUps} words={t.schedule.catchUps} onChange={(value) => set("catch_up", value === usual ? undefined : value)} />
            <Field label={t.schedule.pauseAfter} id={`${id}-pause`}>
              <input id={`${id}-pause`} className="input" type="number" min={1} max={1000} value={typeof config.pause_after_failures === "number" ? config.pause_after_failures : ""} onChange={(event) => set("pause_after_failures", event.target.value === "" ? undefined : Number(event.target.value))} />
            </Field>
            <label className="row gap-2">
              <input className="switch" type="checkbox" role="switch" checked={trigger.enabled === false} onChange={(event) => editor.edit(t.labels.editTrigger(trigger.id), setTrigger(trigger.id, { enabled: event.target.checked ? false : undefined }))} />
              {t.webhook.off}
            </label>
          </fieldset>
        </form>
        <Fires workflow={workflow} trigger={trigger.id} />
      </div>
    </>
  );
}

/** Whether it fires now, and the next times of the draft as the server computes them: there and here. */
function Next({ workflow, trigger }: { workflow: string; trigger: Trigger }) {
  const editor = useEditor();
  const { data: live = [] } = useQuery(schedulesQuery(workflow));
  const fires = live.find((schedule) => schedule.trigger === trigger.id);
  const { data: next = [], error } = useQuery(schedulePreviewQuery(trigger.trigger_config ?? {}));
  return (
    <div className="hook-where">
      <p>
        <i className={fires && !fires.paused ? "dot-live" : "dot-plan"} /> {!fires ? t.schedule.draftOnly : fires.paused ? t.schedule.paused(fires.paused.note) : fires.waits ? t.schedule.waits : fires.next_at ? t.schedule.fires(formatTime(fires.next_at)) : t.schedule.never}
      </p>
      {fires?.paused?.execution_id && (
        <p>
          <Link to="/executions/$id" params={{ id: fires.paused.execution_id }} className="link">
            {t.schedule.failure}
          </Link>
        </p>
      )}
      {fires && <ScheduleControls schedule={fires} onStarted={(execution) => editor.setState({ sampleId: execution, sampleInput: null })} />}
      {error ? (
        <p className="help bad" role="alert">
          {error.message}
        </p>
      ) : (
        <ol className="fires" aria-label={t.schedule.next}>
          {next.map((tick) => (
            <li key={tick.at}>
              <span>{showLocal(tick.local)}</span>
              <span className="t3">{t.schedule.here(formatTime(tick.at))}</span>
              {tick.note && <span className="tick-note">{t.schedule.notes[tick.note]}</span>}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function toInput(at: string): string {
  return Number.isNaN(Date.parse(at)) ? "" : toClock(new Date(at));
}

/** "2026-03-29 03:00", with seconds where there are any. */
function showLocal(local: string): string {
  return local.replace("T", " ").slice(0, local.slice(17, 19) === "00" ? 16 : 19);
}

function Fires({ workflow, trigger }: { workflow: string; trigger: string }) {
  const editor = useEditor();
  const { data = [] } = useQuery(scheduleFiresQuery(workflow, trigger));
  return (
    <section className="hook-requests" aria-label={t.schedule.ledger}>
      <h3>{t.schedule.ledger}</h3>
      {data.length === 0 && <p className="help">{t.schedule.none}</p>}
      <ul>
        {data.slice(0, 20).map((tick) => (
          <li key={tick.tick} className="row gap-2" title={tick.reason}>
            <span className="t3">{formatTime(tick.tick)}</span>
            <span className="grow">{t.schedule.outcomes[tick.outcome]}</span>
            {tick.execution_id && (
              <button type="button" className="link" onClick={() => editor.setState({ sampleId: tick.execution_id })}>
                {t.webhook.useData}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

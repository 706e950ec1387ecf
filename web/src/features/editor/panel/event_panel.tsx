/** A subscription: which events start the workflow, and what became of the last of them. */
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";

import { eventsQuery, subscriptionsQuery } from "../../../api/queries";
import type { Trigger } from "../../../graph/document";
import { formatTime } from "../../../lib/format";
import { t } from "../../../text";
import { Button, Field } from "../../../ui/controls";
import { useEditor, useEditorState } from "../store";
import { ExpressionField } from "./expression_field";
import { TriggerHead } from "./trigger_head";
import { useTrigger } from "./use_trigger";

/** FlowPilot's own, offered beside those that steps and callers publish. */
const ownEvents = ["execution.failed", "execution.completed", "execution.cancelled", "step.failed"];

type Props = { trigger: Trigger; readOnly: boolean };

export function EventPanel({ trigger, readOnly }: Props) {
  const id = useId();
  const workflow = useEditorState((state) => state.id);
  const { text, set, setOff } = useTrigger(trigger);
  const { data: seen = [] } = useQuery(eventsQuery({}));
  const { data: latest = [] } = useQuery({ ...eventsQuery({ name: text("name") }), enabled: text("name") !== "" && !text("name").endsWith("*") });
  const names = [...new Set([...seen.map((event) => event.name), ...ownEvents])];
  const sample = latest[0] ?? { name: text("name"), key: "", data: {}, source: {}, id: "", at: "" };
  return (
    <>
      <TriggerHead type="event" title={t.event.title} id={trigger.id} />
      <div className="dock-scroll">
        <Hears workflow={workflow} trigger={trigger} />
        <form className="form" aria-label={t.event.title} onSubmit={(event) => event.preventDefault()}>
          <fieldset disabled={readOnly} className="grid gap-3.5">
            <Field label={t.event.name} id={`${id}-name`} help={t.event.nameHelp}>
              <input id={`${id}-name`} className="input" list={`${id}-names`} spellCheck={false} value={text("name")} placeholder="order.paid" onChange={(event) => set("name", event.target.value)} />
            </Field>
            <datalist id={`${id}-names`}>
              {names.map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
            <div className="field">
              <div className="field-head">
                <span className="label">{t.event.filter}</span>
              </div>
              <ExpressionField value={text("filter")} label={t.event.filter} onChange={(value) => set("filter", value || undefined)} scope={() => ({ input: { name: sample.name, key: sample.key, data: sample.data as never, source: sample.source as never } })} />
              <p className="help">{t.event.filterHelp}</p>
            </div>
            <label className="row gap-2">
              <input className="switch" type="checkbox" role="switch" checked={trigger.enabled === false} onChange={(event) => setOff(event.target.checked)} />
              {t.webhook.off}
            </label>
          </fieldset>
        </form>
        <Latest workflow={workflow} trigger={trigger.id} events={latest} />
      </div>
    </>
  );
}

/** Whether it starts the workflow now, and what is missing if not. */
function Hears({ workflow, trigger }: { workflow: string; trigger: Trigger }) {
  const { data = [] } = useQuery(subscriptionsQuery(workflow));
  const live = data.find((one) => one.trigger === trigger.id);
  const wanted = trigger.trigger_config?.name;
  return (
    <div className="hook-where" data-live={live ? "" : undefined}>
      <p>
        <i className={live ? "dot-live" : "dot-plan"} /> {!live ? t.event.draftOnly : live.name === wanted ? t.event.hears(live.version) : t.event.otherName(live.name)}
      </p>
    </div>
  );
}

type Events = NonNullable<Awaited<ReturnType<NonNullable<ReturnType<typeof eventsQuery>["queryFn"]>>>>;

/** The last events of this name, and what became of each here. */
function Latest({ workflow, trigger, events }: { workflow: string; trigger: string; events: Events }) {
  const editor = useEditor();
  return (
    <section className="hook-requests" aria-label={t.event.latest}>
      <h3>{t.event.latest}</h3>
      {events.length === 0 && <p className="help">{t.event.none}</p>}
      <ul>
        {events.slice(0, 20).map((event) => {
          const here = event.outcome.find((row) => row.workflow === workflow && row.trigger === trigger);
          return (
            <li key={event.id}>
              <details>
                <summary>
                  <span className="t3">{formatTime(event.at)}</span> <b>{event.key || event.name}</b> <span className="grow" /> <span data-bad={here && ["refused", "failed"].includes(here.outcome) ? "" : undefined}>{here ? t.event.outcomes[here.outcome] : event.handled_at ? t.event.notHere : t.event.onItsWay}</span>
                </summary>
                {here?.reason && <p className="help">{here.reason}</p>}
                <pre>{JSON.stringify(event.data, null, 2)}</pre>
                {here?.execution_id && (
                  <Button size="sm" onClick={() => editor.setState({ sampleId: here.execution_id! })}>
                    {t.webhook.useData}
                  </Button>
                )}
              </details>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

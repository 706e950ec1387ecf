/** A source that is asked again and again: a URL or a folder. What it gives now can be tried before anything is published. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useId } from "react";

import { api, unwrap } from "../../../api/client";
import { pollsQuery } from "../../../api/queries";
import type { Trigger } from "../../../graph/document";
import { formatTime } from "../../../lib/format";
import { t } from "../../../text";
import { Button, Field } from "../../../ui/controls";
import { useEditorState } from "../store";
import { Choice } from "./choice";
import { ExpressionField } from "./expression_field";
import { TriggerHead } from "./trigger_head";
import { useTrigger } from "./use_trigger";

type Props = { trigger: Trigger; readOnly: boolean };

export function PollPanel({ trigger, readOnly }: Props) {
  const id = useId();
  const workflow = useEditorState((state) => state.id);
  const { config, text, set, setOff } = useTrigger(trigger);
  const isUrl = trigger.trigger_type === "http_poll";
  const title = isUrl ? t.poll.urlTitle : t.poll.folderTitle;
  const look = useMutation({
    mutationFn: () => unwrap(api.POST("/api/polls/preview/", { body: { trigger_type: isUrl ? "http_poll" : "file_watch", trigger_config: config as never } })),
  });
  const problem = look.error?.message ?? (look.data?.error as { detail?: string } | null | undefined)?.detail;
  const sample = () => ({ input: (look.data?.results[0] ?? { item: {} }) as never });
  return (
    <>
      <TriggerHead type={trigger.trigger_type} title={title} id={trigger.id} />
      <div className="dock-scroll">
        <Asked workflow={workflow} trigger={trigger} />
        <form className="form" aria-label={title} onSubmit={(event) => event.preventDefault()}>
          <fieldset disabled={readOnly} className="grid gap-3.5">
            {isUrl ? (
              <>
                <Field label={t.poll.url} id={`${id}-url`}>
                  <input id={`${id}-url`} className="input" spellCheck={false} value={text("url")} placeholder="https://" onChange={(event) => set("url", event.target.value || undefined)} />
                </Field>
                <div className="field">
                  <div className="field-head">
                    <span className="label">{t.poll.items}</span>
                  </div>
                  <ExpressionField value={text("items")} label={t.poll.items} preview={false} onChange={(value) => set("items", value || undefined)} scope={() => ({ input: { status_code: 200, headers: {}, data: {} } })} />
                  <p className="help">{t.poll.itemsHelp}</p>
                </div>
              </>
            ) : (
              <>
                <Field label={t.poll.folder} id={`${id}-path`} help={t.poll.folderHelp}>
                  <input id={`${id}-path`} className="input" spellCheck={false} value={text("path")} placeholder="." onChange={(event) => set("path", event.target.value || undefined)} />
                </Field>
                <Field label={t.poll.pattern} id={`${id}-pattern`}>
                  <input id={`${id}-pattern`} className="input" spellCheck={false} value={text("pattern")} placeholder="*.csv" onChange={(event) => set("pattern", event.target.value || undefined)} />
                </Field>
              </>
            )}
            <Field label={t.schedule.every} id={`${id}-every`}>
              <input id={`${id}-every`} className="input" type="number" min={isUrl ? 10 : 1} placeholder={isUrl ? "300" : "10"} value={typeof config.every_seconds === "number" ? config.every_seconds : ""} onChange={(event) => set("every_seconds", event.target.value === "" ? undefined : Number(event.target.value))} />
            </Field>
            <div className="field">
              <div className="field-head">
                <span className="label">{t.poll.dedupe}</span>
              </div>
              <ExpressionField value={text("dedupe")} label={t.poll.dedupe} onChange={(value) => set("dedupe", value || undefined)} scope={sample} />
              <p className="help">{isUrl ? t.poll.dedupeHelp : t.poll.dedupeFiles}</p>
            </div>
            <Choice id={`${id}-first`} label={t.poll.first} value={text("first") || "skip"} choices={["skip", "start"] as const} words={t.poll.firsts} onChange={(value) => set("first", value === "skip" ? undefined : value)} />
            <label className="row gap-2">
              <input className="switch" type="checkbox" role="switch" checked={trigger.enabled === false} onChange={(event) => setOff(event.target.checked)} />
              {t.webhook.off}
            </label>
          </fieldset>
        </form>
        <section className="hook-requests" aria-label={t.poll.try}>
          <h3>{t.poll.try}</h3>
          <Button size="sm" onClick={() => look.mutate()} disabled={look.isPending}>
            {t.poll.look}
          </Button>
          {problem && (
            <p className="help" role="alert" data-bad="">
              {problem}
            </p>
          )}
          {look.data && !problem && <p className="help">{t.poll.found(look.data.count)}</p>}
          {look.data && !problem && <pre>{JSON.stringify(look.data.results, null, 2)}</pre>}
        </section>
      </div>
    </>
  );
}

/** Whether it is asked now, and how the last look went. */
function Asked({ workflow, trigger }: { workflow: string; trigger: Trigger }) {
  const { data = [] } = useQuery(pollsQuery(workflow));
  const live = data.find((one) => one.trigger === trigger.id);
  const problem = live?.error as { detail?: string } | null | undefined;
  return (
    <div className="hook-where" data-live={live && !problem ? "" : undefined}>
      <p>
        <i className={live && !problem ? "dot-live" : "dot-plan"} /> {!live ? t.event.draftOnly : live.last_at ? t.poll.looked(formatTime(live.last_at), live.items, live.started) : t.poll.willLook}
      </p>
      {problem && (
        <p className="help" role="alert" data-bad="">
          {problem.detail}
        </p>
      )}
    </div>
  );
}

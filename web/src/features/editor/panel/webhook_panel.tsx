/** A webhook: where it listens, who may send, how it answers, and what came. */
import { useQuery } from "@tanstack/react-query";
import { useId, type ReactNode } from "react";

import { webhooksQuery } from "../../../api/queries";
import type { Json, Trigger } from "../../../graph/document";
import { setTrigger, setTriggerConfig } from "../../../graph/edits";
import { t } from "../../../text";
import { CopyButton, Field } from "../../../ui/controls";
import { useEditor, useEditorState } from "../store";
import { Choice } from "./choice";
import { TriggerHead } from "./trigger_head";
import { WebhookRequests, WebhookTest } from "./webhook_requests";
import { WebhookRules } from "./webhook_rules";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const answers = ["accepted", "result", "respond"] as const;
const schemes = ["none", "token", "basic", "hmac", "standard", "github", "stripe"] as const;

type Props = { trigger: Trigger; readOnly: boolean };

export function WebhookPanel({ trigger, readOnly }: Props) {
  const editor = useEditor();
  const id = useId();
  const workflow = useEditorState((state) => state.id);
  const config = trigger.trigger_config ?? {};
  const text = (name: string): string => (typeof config[name] === "string" ? config[name] : "");
  const set = (name: string, value: Json | undefined): void => editor.edit(t.labels.editTrigger(trigger.id), setTriggerConfig(trigger.id, name, value), `${trigger.id}/${name}`);
  const chosen = Array.isArray(config.methods) ? config.methods.map(String) : ["POST"];
  const scheme = text("signature") || "none";
  const secrets = Array.isArray(config.secret) ? config.secret.map(String) : text("secret") ? [text("secret")] : [];
  return (
    <>
      <TriggerHead type="webhook" title={t.webhook.title} id={trigger.id} />
      <div className="dock-scroll">
        <Listening workflow={workflow} trigger={trigger} />
        <form className="form" aria-label={t.webhook.title} onSubmit={(event) => event.preventDefault()}>
          <fieldset disabled={readOnly} className="grid gap-3.5">
            <Field label={t.webhook.path} id={`${id}-path`} help={t.webhook.pathHelp}>
              <input id={`${id}-path`} className="input" spellCheck={false} value={text("path")} placeholder={t.webhook.pathNone} onChange={(event) => set("path", event.target.value || undefined)} />
            </Field>
            <div className="field" role="group" aria-label={t.webhook.methods}>
              <div className="field-head">
                <span className="label">{t.webhook.methods}</span>
              </div>
              <div className="row gap-3">
                {methods.map((method) => (
                  <label key={method} className="row gap-1">
                    <input
                      type="checkbox"
                      checked={chosen.includes(method)}
                      onChange={(event) => {
                        const next = methods.filter((other) => (other === method ? event.target.checked : chosen.includes(other)));
                        set("methods", next.length > 0 ? next : undefined);
                      }}
                    />
                    {method}
                  </label>
                ))}
              </div>
            </div>
            <Choice id={`${id}-respond`} label={t.webhook.respond} value={text("respond") || "accepted"} choices={answers} words={t.webhook.answers} onChange={(value) => set("respond", value === "accepted" ? undefined : value)} />
            {(text("respond") || "accepted") !== "accepted" && (
              <Field label={t.webhook.wait} id={`${id}-wait`}>
                <input id={`${id}-wait`} className="input" type="number" min={0} max={300} placeholder="30" value={typeof config.wait_seconds === "number" ? config.wait_seconds : ""} onChange={(event) => set("wait_seconds", event.target.value === "" ? undefined : Number(event.target.value))} />
              </Field>
            )}
            <Choice id={`${id}-signature`} label={t.webhook.signature} value={scheme} choices={schemes} words={t.webhook.schemes} onChange={(value) => set("signature", value === "none" ? undefined : value)} />
            {scheme !== "none" && (
              <Field label={t.webhook.secret} id={`${id}-secret`} help={t.webhook.secretHelp(secrets[0] ?? "NAME")}>
                <input
                  id={`${id}-secret`}
                  className="input"
                  spellCheck={false}
                  defaultValue={secrets.join(", ")}
                  onBlur={(event) => {
                    const names = event.target.value.toUpperCase().split(/[\s,]+/).filter(Boolean);
                    set("secret", names.length > 1 ? names : names[0]);
                  }}
                />
              </Field>
            )}
            <WebhookRules config={config} set={set} />
            <Field label={t.webhook.delivery} id={`${id}-delivery`} help={t.webhook.deliveryHelp}>
              <input id={`${id}-delivery`} className="input" spellCheck={false} value={text("delivery_header")} onChange={(event) => set("delivery_header", event.target.value || undefined)} />
            </Field>
            <label className="row gap-2">
              <input className="switch" type="checkbox" role="switch" checked={trigger.enabled === false} onChange={(event) => editor.edit(t.labels.editTrigger(trigger.id), setTrigger(trigger.id, { enabled: event.target.checked ? false : undefined }))} />
              {t.webhook.off}
            </label>
          </fieldset>
        </form>
        <WebhookTest workflow={workflow} trigger={trigger.id} readOnly={readOnly} />
        <WebhookRequests workflow={workflow} trigger={trigger.id} />
      </div>
    </>
  );
}

/** Whether a request would start something now, and what is missing if not. */
function Listening({ workflow, trigger }: { workflow: string; trigger: Trigger }) {
  const { data = [] } = useQuery(webhooksQuery(workflow));
  const live = data.find((hook) => hook.trigger === trigger.id);
  const wanted = typeof trigger.trigger_config?.path === "string" ? `/hooks/${trigger.trigger_config.path.replace(/^\/+|\/+$/g, "")}` : live?.path;
  const url = live ? window.location.origin + live.path : "";
  let state: ReactNode = t.webhook.draftOnly;
  if (live?.problem) state = t.webhook.noSecret;
  else if (live && live.path !== wanted) state = t.webhook.otherPath(live.path);
  else if (live) state = t.webhook.listens(live.version);
  return (
    <div className="hook-where" data-live={live && !live.problem ? "" : undefined}>
      <p>
        <i className={live && !live.problem ? "dot-live" : "dot-plan"} /> {state}
      </p>
      {url && (
        <p className="hook-url">
          <code>{url}</code> <CopyButton text={url} label={t.webhook.copy} />
        </p>
      )}
    </div>
  );
}

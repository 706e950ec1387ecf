/** Which requests of a webhook start something, and what of them the execution gets. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useId, useRef } from "react";

import { executionQuery } from "../../../api/queries";
import type { Scope } from "../../../graph/completion";
import type { Json } from "../../../graph/document";
import { t } from "../../../text";
import { Field } from "../../../ui/controls";
import { useEditorState } from "../store";
import { Choice } from "./choice";
import { ExpressionField } from "./expression_field";

type Props = { config: { [name: string]: Json }; set: (name: string, value: Json | undefined) => void };

const inputs = ["request", "body"] as const;
const empty: Json = { method: "POST", path: "", params: {}, query: {}, headers: {}, body: null };

export function WebhookRules({ config, set }: Props) {
  const id = useId();
  const hasSchema = useEditorState((state) => state.history.document.inputs !== undefined);
  const sampleId = useEditorState((state) => state.sampleId);
  const captured = useEditorState((state) => state.sampleInput);
  const sample = useQuery({ ...executionQuery(sampleId ?? ""), enabled: sampleId !== null && captured === null });
  const input = captured ?? (sample.data?.trigger === "webhook" ? (sample.data.input as Json) : empty);
  const latest = useRef(input);
  latest.current = input;
  const scope = useCallback((): Scope => ({ input: latest.current, vars: {} }), []);
  const text = (name: string): string => (typeof config[name] === "string" ? config[name] : "");
  const addresses = Array.isArray(config.allow_addresses) ? config.allow_addresses.map(String) : text("allow_addresses") ? [text("allow_addresses")] : [];
  const chosen = text("input") || (hasSchema && config.raw !== true ? "body" : "request");
  return (
    <>
      {(["only_if", "dedupe"] as const).map((name) => (
        <div key={name} className="field">
          <div className="field-head">
            <span className="label">{name === "only_if" ? t.webhook.onlyIf : t.webhook.dedupe}</span>
          </div>
          <ExpressionField value={text(name)} onChange={(value) => set(name, value || undefined)} label={name === "only_if" ? t.webhook.onlyIf : t.webhook.dedupe} scope={scope} singleLine preview={input !== empty} />
          <p className="help">{name === "only_if" ? t.webhook.onlyIfHelp : t.webhook.dedupeHelp}</p>
        </div>
      ))}
      <Field label={t.webhook.addresses} id={`${id}-addresses`} help={t.webhook.addressesHelp}>
        <input
          id={`${id}-addresses`}
          className="input"
          spellCheck={false}
          defaultValue={addresses.join(", ")}
          onBlur={(event) => {
            const list = event.target.value.split(/[\s,]+/).filter(Boolean);
            set("allow_addresses", list.length > 0 ? list : undefined);
          }}
        />
      </Field>
      <Choice id={`${id}-input`} label={t.webhook.input} value={chosen} choices={inputs} words={t.webhook.inputs} onChange={(value) => set("input", value === (hasSchema ? "body" : "request") ? undefined : value)} />
      {chosen === "request" && (
        <label className="row gap-2">
          <input type="checkbox" checked={config.raw === true} onChange={(event) => set("raw", event.target.checked ? true : undefined)} />
          {t.webhook.raw}
        </label>
      )}
    </>
  );
}

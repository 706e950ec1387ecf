/** A text with expressions: completion from real data, and what it gives, asked of the server's own evaluator while typing. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { api, unwrap } from "../../../api/client";
import { describe, type Scope } from "../../../graph/completion";
import type { Json } from "../../../graph/document";
import { useSettled } from "../../../lib/hooks";
import { t } from "../../../text";
import { CodeField, type CodeFieldHandle } from "../../../ui/code";
import { useEditorState } from "../store";
import { setFocusedField } from "./focus";

type Props = { value: string; onChange: (text: string) => void; label: string; scope: () => Scope; singleLine?: boolean; autoFocus?: boolean; hint?: string; preview?: boolean };

export function ExpressionField({ value, onChange, label, scope, singleLine = false, autoFocus = false, hint, preview = true }: Props) {
  const field = useRef<CodeFieldHandle>(null);
  useEffect(() => () => setFocusedField(null), []);
  return (
    <div className="grid gap-1">
      <CodeField
        ref={field}
        value={value}
        onChange={onChange}
        label={label}
        language="template"
        singleLine={singleLine}
        autoFocus={autoFocus}
        scope={scope}
        onFocus={() => setFocusedField(field.current)}
        {...(hint ? { hint } : {})}
      />
      {preview && <Preview template={value} scope={scope} />}
    </div>
  );
}

function Preview({ template, scope }: { template: string; scope: () => Scope }) {
  const settled = useSettled(template, 200);
  const execution = useEditorState((state) => state.sampleId ?? state.executionId);
  const pins = useEditorState((state) => state.history.document.ui?.pins);
  const captured = useEditorState((state) => state.sampleInput);
  const { item, index, vars } = scope();
  const perItem = /\b(item|index)\b/.test(settled);
  const recorded = execution && !pins && captured === null;
  const { data, isFetching } = useQuery({
    queryKey: ["preview", settled, execution, pins, captured, ...(perItem ? [item, index] : []), ...(recorded ? [] : [vars])],
    queryFn: ({ signal }) =>
      unwrap(api.POST("/api/expressions/preview/", { signal, body: { template: settled, ...(recorded ? { execution, ...(perItem && item !== undefined ? { data: { item, index } } : {}) } : { data: previewData(scope()) as never }) } as never })),
    enabled: settled.includes("{{") && !(perItem && "item" in scope() && item === undefined),
    retry: false,
    staleTime: 30_000,
  });
  if (!template.includes("{{")) return null;
  if (perItem && "item" in scope() && item === undefined) return <p className="help">{t.panel.itemUnknown}</p>;
  if (!data) return <p className="help">{isFetching ? t.panel.previewWaiting : ""}</p>;
  if (!data.ok)
    return (
      <p className="help bad" role="status">
        {data.error?.detail ?? ""}
      </p>
    );
  return (
    <p className="help" role="status">
      <span className="arrow">=</span>
      <span className="mono clip">{typeof data.value === "string" ? data.value : data.value !== null && typeof data.value === "object" ? JSON.stringify(data.value).slice(0, 200) : describe(data.value as Json)}</span>
    </p>
  );
}

function previewData(scope: Scope): { [name: string]: Json } {
  return Object.fromEntries(Object.entries(scope).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

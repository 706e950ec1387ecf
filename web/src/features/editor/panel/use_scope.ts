/** What the fields of a step are tried with: the execution shown or the last one, the server's variables, samples of large outputs, one item of the list. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState } from "react";

import { api, unwrap, type Execution } from "../../../api/client";
import { executionQuery, varsQuery } from "../../../api/queries";
import type { Scope } from "../../../graph/completion";
import { findStep, upstreamOf, type Json, type JsonObject, type Step } from "../../../graph/document";
import { isTruncated, largeQuery } from "../../executions/large";
import { isPerItem, itemsOf, scopeFor, type Known } from "../scope";
import { useEditorState } from "../store";
import { useTypes } from "../use_view";

export type ItemChoice = { index: number; count: number; choose: (index: number) => void };
export type StepScope = { of: (field: string) => Scope; execution: Execution | null; upstream: Json; items: ItemChoice | null };

export function useStepScope(id: string): StepScope {
  const document = useEditorState((state) => state.history.document);
  const live = useEditorState((state) => state.execution);
  const sampleId = useEditorState((state) => state.sampleId);
  const types = useTypes();
  const sample = useQuery({ ...executionQuery(sampleId ?? ""), enabled: sampleId !== null && live === null });
  const execution = live ?? sample.data ?? null;
  const step = findStep(document, id);
  const vars = useQuery(varsQuery).data as JsonObject | undefined;

  const tooLarge = useMemo(() => {
    const before = upstreamOf(document, id);
    return (execution?.tasks ?? []).filter((task) => task.index === null && before.has(task.step) && isTruncated(task.result));
  }, [document, id, execution]);
  const samples = useQueries({ queries: tooLarge.map((task) => largeQuery(execution!.id, task.id)), combine: (results) => results.map(({ data }) => data) });
  const large = useMemo(() => new Map(tooLarge.flatMap((task, index): [string, Json][] => (samples[index] === undefined ? [] : [[task.step, samples[index]]]))), [tooLarge, samples]);
  const captured = useEditorState((state) => (live === null ? state.sampleInput : null));
  const known = useMemo((): Known => ({ vars: vars ?? {}, large, captured }), [vars, large, captured]);

  const whole = useMemo(() => scopeFor(document, id, types, execution, known), [document, id, types, execution, known]);
  const [index, setIndex] = useState(0);
  const item = useItem(step, index, whole.scope, captured === null ? execution : null);
  const latest = useRef({ scope: whole.scope, item, step });
  latest.current = { scope: whole.scope, item, step };
  const of = useCallback((field: string): Scope => {
    const { scope, item: tried, step: now } = latest.current;
    return now && isPerItem(now, field) ? { ...scope, item: tried?.value, index: tried?.index ?? 0 } : scope;
  }, []);
  const upstream = useMemo((): Json => {
    const { input, steps, vars: variables } = whole.scope;
    const some = variables && typeof variables === "object" && Object.keys(variables).length > 0;
    return { input: input ?? null, steps: steps ?? {}, ...(some ? { vars: variables } : {}), ...(item && step && itemsOf(step) !== undefined ? { item: item.value } : {}) };
  }, [whole, item, step]);
  return { of, execution, upstream, items: item ? { index: item.index, count: item.count, choose: setIndex } : null };
}

type Item = { value: Json; index: number; count: number };

/** The chosen item of a step's list, as the server's evaluator gives it: that one alone, of a list that may have 100,000. */
function useItem(step: Step | undefined, index: number, scope: Scope, execution: Execution | null): Item | null {
  const list = step ? itemsOf(step) : undefined;
  const pins = useEditorState((state) => state.history.document.ui?.pins);
  const template = itemTemplate(list, index);
  const { data } = useQuery({
    queryKey: ["item", template, execution?.id, pins],
    queryFn: ({ signal }) => unwrap(api.POST("/api/expressions/preview/", { signal, body: { template, ...(execution && !pins ? { execution: execution.id } : { data: scope }) } as never })),
    enabled: template !== null,
    retry: false,
  });
  if (Array.isArray(list)) return list.length === 0 ? null : { value: list[Math.min(index, list.length - 1)]!, index: Math.min(index, list.length - 1), count: list.length };
  const answer = data?.ok ? (data.value as Json) : null;
  if (answer === null || typeof answer !== "object" || Array.isArray(answer) || typeof answer.count !== "number" || answer.count === 0) return null;
  return { value: answer.item ?? null, index: Math.min(index, answer.count - 1), count: answer.count };
}

/** `{{ LIST }}` as the item at `index` and how many there are; null for what is no single expression. */
export function itemTemplate(list: Json | undefined, index: number): JsonObject | null {
  const expression = typeof list === "string" ? /^\s*\{\{((?:(?!\}\})[\s\S])+)\}\}\s*$/.exec(list)?.[1]?.trim() : undefined;
  if (!expression) return null;
  return { item: `{{ (${expression})[Math.min(${index}, (${expression}).length - 1)] }}`, count: `{{ (${expression}).length }}` };
}

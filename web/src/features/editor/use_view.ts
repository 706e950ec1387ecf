/** The canvas's nodes and edges, derived from the editor's state and kept as stable as possible. */
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";

import type { TaskType } from "../../api/client";
import { pollsQuery, schedulesQuery, taskTypesQuery, webhooksQuery } from "../../api/queries";
import { diffOnce } from "../../graph/diff";
import type { Point, WorkflowDocument } from "../../graph/document";
import { positionsOf } from "../../graph/layout";
import { NodeFactory, type CanvasEdge, type CanvasNode, type Mark, type View } from "../canvas/derive";
import { heatOf, ProgressMap } from "../canvas/progress";
import { t } from "../../text";
import { useEditorState } from "./store";

const noTypes = new Map<string, TaskType>();

export function useTypes(): ReadonlyMap<string, TaskType> {
  const { data } = useQuery(taskTypesQuery);
  return useMemo(() => (data ? new Map(data.map((type) => [type.type, type])) : noTypes), [data]);
}

const positionCache = new WeakMap<WorkflowDocument, Map<string, Point>>();

/** Positions of a document, computed once for each document object. */
export function positionsFor(document: WorkflowDocument): Map<string, Point> {
  let positions = positionCache.get(document);
  if (!positions) positionCache.set(document, (positions = positionsOf(document)));
  return positions;
}

export function useMarks(): ReadonlyMap<string, Mark> {
  const document = useEditorState((state) => state.history.document);
  const published = useEditorState((state) => state.published);
  return useMemo(() => {
    const marks = new Map<string, Mark>();
    if (!published) return marks;
    const diff = diffOnce(published.document, document);
    for (const id of diff.added) marks.set(id, "added");
    for (const id of diff.changed.keys()) marks.set(id, "changed");
    return marks;
  }, [document, published]);
}

/** What keeps the triggers of the published version from firing, by their ids. */
function useTriggerStates(): ReadonlyMap<string, string> {
  const workflow = useEditorState((state) => state.id);
  const { data: schedules } = useQuery({ ...schedulesQuery(workflow), refetchInterval: 10_000 });
  const { data: webhooks } = useQuery({ ...webhooksQuery(workflow), refetchInterval: 10_000 });
  const { data: polls } = useQuery({ ...pollsQuery(workflow), refetchInterval: 10_000 });
  return useMemo(() => {
    const states = new Map<string, string>();
    for (const { trigger, paused } of schedules ?? []) if (paused) states.set(trigger, t.triggers.states.paused);
    for (const { trigger, error } of polls ?? []) if (error) states.set(trigger, t.triggers.states.fails);
    for (const { trigger, problem } of webhooks ?? []) if (problem) states.set(trigger, t.triggers.states.noSecret);
    return states;
  }, [schedules, webhooks, polls]);
}

export function useView(moved: ReadonlyMap<string, Point> | null, readOnly: boolean): { view: View; nodes: CanvasNode[]; edges: CanvasEdge[] } {
  const factory = useRef(new NodeFactory());
  const progressMap = useRef(new ProgressMap());
  const document = useEditorState((state) => state.history.document);
  const selection = useEditorState((state) => state.selection);
  const selectedEdges = useEditorState((state) => state.edges);
  const problemList = useEditorState((state) => state.problems);
  const execution = useEditorState((state) => state.execution);
  const planned = useEditorState((state) => state.plan);
  const types = useTypes();
  const marks = useMarks();
  const problems = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { step } of problemList) if (step) counts.set(step, (counts.get(step) ?? 0) + 1);
    return counts;
  }, [problemList]);
  const progress = useMemo(() => (execution ? progressMap.current.update(execution.tasks) : null), [execution]);
  const plan = useMemo(() => {
    if (!planned) return null;
    const map = new Map<string, number | "reuse" | "skip">();
    planned.run.forEach((id, index) => map.set(id, index + 1));
    for (const id of planned.reuse) map.set(id, "reuse");
    for (const id of planned.skip) map.set(id, "skip");
    return map;
  }, [planned]);
  const triggerStates = useTriggerStates();
  const heating = useEditorState((state) => state.heat);
  const heat = useMemo(() => (heating && progress ? heatOf(progress, document.steps) : null), [heating, progress, document]);
  const view: View = { triggerStates, document, positions: positionsFor(document), moved, types, selection, problems, marks, progress, plan, heat, readOnly };
  const nodes = useMemo(() => factory.current.makeNodes(view), [document, moved, types, selection, problems, marks, progress, plan, heat, readOnly, triggerStates]);
  const edges = useMemo(() => factory.current.makeEdges(view, selectedEdges), [document, types, progress, plan, selectedEdges, readOnly]);
  return { view, nodes, edges };
}

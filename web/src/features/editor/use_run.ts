/** Running from the designer: starts the draft (or a part of it), shows it live on the canvas, and keeps its data for expressions. */
import { useCallback, useEffect, useRef } from "react";

import { api, idempotent, unwrap, type Execution } from "../../api/client";
import { openFeed, type LiveMessage } from "../../api/live";
import { keys, queryClient } from "../../api/queries";
import { findStep, type Json } from "../../graph/document";
import { t } from "../../text";
import { isOver } from "../../ui/status";
import { announce } from "../../ui/announcer";
import { applyMessages } from "../executions/apply_messages";
import type { Saver } from "./saver";
import { useEditor, useEditorState, type Plan } from "./store";

export type RunWish = { input: Json; draft: boolean; partial?: { mode: "to" | "only" | "from"; step: string } };

/** Pins and the part to run, as the server wants them. */
function bodyOf(wish: RunWish, pins: { [step: string]: Json } | undefined, sample: string | null): { [name: string]: Json } {
  return {
    input: wish.input,
    draft: wish.draft,
    ...(wish.draft && pins && Object.keys(pins).length > 0 ? { pins } : {}),
    ...(wish.partial ? { partial: { ...wish.partial, execution: sample } } : {}),
  };
}

export function useRun(saver: Saver): { run: (wish: RunWish) => Promise<void>; plan: (wish: RunWish) => Promise<Plan>; stop: () => Promise<void>; clear: () => void } {
  const editor = useEditor();
  const executionId = useEditorState((state) => state.executionId);
  const frame = useRef(0);

  useEffect(() => {
    if (!executionId) return;
    // Messages are applied together, once a frame: a hundred changes a second draw like ten.
    let pending: LiveMessage[] = [];
    const flush = (): void => {
      frame.current = 0;
      const before = editor.getState().execution;
      const after = applyMessages(before, pending);
      pending = [];
      if (after === before) return;
      editor.setState({ execution: after });
      if (after && after.status !== before?.status && isOver(after.status)) {
        announce(t.execution.announce(t.status[after.status]));
        const failed = after.tasks.find((task) => task.status === "failed");
        if (failed) announce(t.execution.announceStep(findStep(editor.getState().history.document, failed.step)?.name ?? failed.step, t.status.failed));
        editor.setState({ sampleId: after.id, sampleInput: null });
        void queryClient.invalidateQueries({ queryKey: keys.executions });
      }
    };
    const close = openFeed({
      path: `/ws/executions/${executionId}/`,
      resumable: true,
      onState: () => {},
      onMessage: (message) => {
        pending.push(message);
        frame.current ||= requestAnimationFrame(flush);
      },
    });
    return () => {
      close();
      cancelAnimationFrame(frame.current);
      frame.current = 0;
    };
  }, [editor, executionId]);

  const run = useCallback(
    async (wish: RunWish) => {
      if (wish.draft) await saver.flush();
      const { id, history, sampleId } = editor.getState();
      const execution = (await unwrap(
        api.POST("/api/workflows/{id}/run/", { params: { path: { id }, header: idempotent() }, body: bodyOf(wish, history.document.ui?.pins, sampleId) as never }),
      )) as Execution; // a plan comes only with dry_run
      announce(t.execution.announce(t.status.running));
      editor.setState({ execution, executionId: execution.id, plan: null });
    },
    [editor, saver],
  );
  const plan = useCallback(
    async (wish: RunWish): Promise<Plan> => {
      if (wish.draft) await saver.flush();
      const { id, history, sampleId } = editor.getState();
      const answer = (await unwrap(
        api.POST("/api/workflows/{id}/run/", { params: { path: { id }, header: idempotent() }, body: { ...bodyOf(wish, history.document.ui?.pins, sampleId), dry_run: true } as never }),
      )) as unknown as { run: string[]; reuse: { step: string }[]; skip: string[] };
      return { run: answer.run, reuse: answer.reuse.map(({ step }) => step), skip: answer.skip };
    },
    [editor, saver],
  );
  const stop = useCallback(async () => {
    const { executionId: id } = editor.getState();
    if (id) await unwrap(api.POST("/api/executions/{id}/cancel/", { params: { path: { id }, header: idempotent() }, body: {} }));
  }, [editor]);
  const clear = useCallback(() => editor.setState({ execution: null, executionId: null, plan: null }), [editor]);
  return { run, plan, stop, clear };
}

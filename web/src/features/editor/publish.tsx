/** Publishing: what changes, on the graph and field by field, and what stands in the way. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { api, idempotent, unwrap } from "../../api/client";
import { keys, queryClient, versionQuery } from "../../api/queries";
import { diffDocuments, diffOnce, type Change, type DocumentDiff } from "../../graph/diff";
import { findStep, toDocument, type Json, type WorkflowDocument } from "../../graph/document";
import { t } from "../../text";
import { Button, Dialog, Field, Segmented } from "../../ui/controls";
import { ErrorState, LoadingRows } from "../../ui/states";
import { StatusGlyph } from "../../ui/status";
import { toast } from "../../ui/toast";
import type { Mark } from "../canvas/derive";
import { StaticCanvas } from "../canvas/static_canvas";
import { loadPublished } from "./open";
import type { Saver } from "./saver";
import { placeProblems, useEditor, useEditorState } from "./store";

export function PublishDialog({ open, saver, onClose, onProblem }: { open: boolean; saver: Saver; onClose: () => void; onProblem: () => void }) {
  const editor = useEditor();
  const document = useEditorState((state) => state.history.document);
  const published = useEditorState((state) => state.published);
  const workflow = useEditorState((state) => state.workflow);
  const problems = useEditorState((state) => state.problems);
  const [note, setNote] = useState("");
  const diff = useMemo(() => (published ? diffOnce(published.document, document) : null), [published, document]);
  const publish = useMutation({
    mutationFn: async () => {
      await saver.flush();
      const { id, revision } = editor.getState();
      return unwrap(api.POST("/api/workflows/{id}/publish/", { params: { path: { id }, header: { ...idempotent(), "If-Match": `"${revision}"` } }, body: note ? { note } : {} }));
    },
    onSuccess: (next) => {
      editor.setState({ workflow: next, revision: next.revision, problems: placeProblems(next.issues, editor.getState().history.document) });
      void loadPublished(editor);
      void queryClient.invalidateQueries({ queryKey: keys.workflows });
      toast(t.publish.done(next.published_version ?? 0));
      setNote("");
      onClose();
    },
  });
  const same = diff !== null && diff.count === 0 && workflow.published_version !== null;
  const blocked = problems.length > 0;
  return (
    <Dialog
      title={t.publish.title((workflow.published_version ?? 0) + 1)}
      open={open}
      onClose={onClose}
      wide
      footer={
        <>
          <span className="t3 grow">{t.publish.goesLive}</span>
          <Button size="lg" onClick={onClose}>
            {t.app.cancel}
          </Button>
          <Button kind="primary" size="lg" disabled={blocked || same || publish.isPending} onClick={() => publish.mutate()}>
            {t.publish.publish}
          </Button>
        </>
      }
    >
      {blocked && (
        <div className="task-error" role="alert">
          <p className="row">
            <StatusGlyph status="failed" />
            <b>{t.publish.blocked(problems.length)}</b>
            <span className="grow" />
            <Button
              size="sm"
              onClick={() => {
                onClose();
                onProblem();
              }}
            >
              {t.publish.showProblem}
            </Button>
          </p>
          {problems.slice(0, 5).map((problem, index) => (
            <p key={index}>
              <b>{problem.step ? (findStep(document, problem.step)?.name ?? problem.step) : t.editor.wholeWorkflow}</b> {problem.message}
            </p>
          ))}
        </div>
      )}
      {publish.error && <ErrorState error={publish.error} />}
      {same ? <p>{t.publish.nothing}</p> : diff ? <DiffView before={published!.document} after={document} diff={diff} /> : <p>{t.publish.first}</p>}
      {!same && (
        <Field label={t.publish.note} id="publish-note">
          <textarea id="publish-note" className="input" rows={2} maxLength={1000} value={note} placeholder={t.publish.notePlaceholder} onChange={(event) => setNote(event.target.value)} />
        </Field>
      )}
    </Dialog>
  );
}

/** Two documents side by side: on the graph, with what is gone as ghosts, or field by field. */
export function DiffView({ before, after, diff }: { before: WorkflowDocument; after: WorkflowDocument; diff: DocumentDiff }) {
  const [view, setView] = useState<"graph" | "fields">("graph");
  const both = useMemo((): WorkflowDocument => {
    const ghosts = before.steps.filter((step) => diff.removed.has(step.id));
    const positions = { ...before.ui?.positions, ...after.ui?.positions };
    return { ...after, steps: [...after.steps, ...ghosts], ui: { ...after.ui, positions } };
  }, [before, after, diff]);
  const marks = useMemo(() => new Map<string, Mark>([...[...diff.added].map((id): [string, Mark] => [id, "added"]), ...[...diff.removed].map((id): [string, Mark] => [id, "removed"]), ...[...diff.changed.keys()].map((id): [string, Mark] => [id, "changed"])]), [diff]);
  if (diff.count === 0) return <p>{t.versions.same}</p>;
  return (
    <div className="grid gap-2">
      <div className="row">
        <Segmented label={t.publish.changes} value={view} onChange={setView} options={[{ value: "graph", text: t.versions.graph }, { value: "fields", text: t.versions.fields }]} />
        <span className="t3">
          {[
            diff.added.size > 0 && `${diff.added.size} ${t.publish.added}`,
            diff.removed.size > 0 && `${diff.removed.size} ${t.publish.removed}`,
            diff.changed.size > 0 && `${diff.changed.size} ${t.publish.changed}`,
            diff.settings.length > 0 && t.publish.settings,
          ]
            .filter(Boolean)
            .join(", ")}
        </span>
      </div>
      {view === "graph" ? (
        <div className="diff-graph">
          <StaticCanvas document={both} marks={marks} label={t.publish.changes} />
        </div>
      ) : (
        <ul className="diff-fields">
          {[...diff.added].map((id) => (
            <li key={`+${id}`}>
              <b>{findStep(after, id)?.name ?? id}</b> <span className="plan-word">{t.publish.added}</span>
            </li>
          ))}
          {[...diff.removed].map((id) => (
            <li key={`-${id}`}>
              <b>{findStep(before, id)?.name ?? id}</b> <span className="plan-word">{t.publish.removed}</span>
            </li>
          ))}
          {[...diff.changed].map(([id, changes]) => (
            <li key={id}>
              <b>{findStep(after, id)?.name ?? id}</b>
              <ChangeList changes={changes} />
            </li>
          ))}
          {diff.settings.length > 0 && (
            <li>
              <b>{t.publish.settings}</b>
              <ChangeList changes={diff.settings} />
            </li>
          )}
        </ul>
      )}
    </div>
  );
}

export function showValue(value: Json | undefined): string {
  if (value === undefined) return t.app.none;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 240 ? `${text.slice(0, 240)}…` : text;
}

function ChangeList({ changes }: { changes: readonly Change[] }) {
  return (
    <dl className="changes">
      {changes.map((change) => (
        <div key={change.path}>
          <dt className="mono">{change.path.slice(1).replaceAll("/", ".")}</dt>
          <dd>
            <del>{showValue(change.before)}</del> <ins>{showValue(change.after)}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Compares two versions, or one with the draft. */
export function CompareDialog({ id, from, to, draft, onClose }: { id: string; from: number; to: number | "draft"; draft: WorkflowDocument; onClose: () => void }) {
  const before = useQuery(versionQuery(id, from));
  const after = useQuery({ ...versionQuery(id, to === "draft" ? from : to), enabled: to !== "draft" });
  const left = useMemo(() => (before.data ? toDocument(before.data.document) : null), [before.data]);
  const right = useMemo(() => (to === "draft" ? draft : after.data ? toDocument(after.data.document) : null), [to, draft, after.data]);
  const diff = useMemo(() => (left && right ? diffDocuments(left, right) : null), [left, right]);
  return (
    <Dialog title={`${t.versions.compareTitle} v${from} ${t.versions.with} ${to === "draft" ? t.versions.draft : `v${to}`}`} open onClose={onClose} wide>
      {before.error ? <ErrorState error={before.error} /> : left && right && diff ? <DiffView before={left} after={right} diff={diff} /> : <LoadingRows />}
    </Dialog>
  );
}

import { Link, useNavigate } from "@tanstack/react-router";
import { Check, ChevronDown, ChevronRight, CloudOff, Play, Redo2, Square, Undo2, X } from "lucide-react";

import { diffOnce } from "../../graph/diff";
import { t } from "../../text";
import { Button, Menu, Segmented } from "../../ui/controls";
import { isOver, StatusBadge, StatusGlyph } from "../../ui/status";
import { useEditor, useEditorState } from "./store";

type Props = {
  view: "canvas" | "code";
  readOnly: boolean;
  onView: (view: "canvas" | "code") => void;
  onRun: (wish: { withInput?: boolean; draft?: boolean; partial?: { mode: "to" | "only" | "from"; step: string } }) => void;
  onStop: () => void;
  onClear: () => void;
  onPublish: () => void;
};

/** The bar above the canvas: what this is, what is live and what is draft, whether it is safe, and what to do with it. */
export function TopBar({ view, readOnly, onView, onRun, onStop, onClear, onPublish }: Props) {
  const editor = useEditor();
  const navigate = useNavigate();
  const id = useEditorState((state) => state.id);
  const name = useEditorState((state) => state.history.document.name);
  const past = useEditorState((state) => state.history.past);
  const future = useEditorState((state) => state.history.future);
  const workflow = useEditorState((state) => state.workflow);
  const execution = useEditorState((state) => state.execution);
  const selection = useEditorState((state) => state.selection);
  const one = selection.size === 1 ? [...selection][0]! : null;
  const step = one && !one.includes(":") ? one : null;
  const running = execution !== null && !isOver(execution.status);
  return (
    <header className="topbar">
      <nav className="crumbs" aria-label={t.app.workflows}>
        <Link to="/workflows">{t.app.workflows}</Link>
        <ChevronRight className="icon" aria-hidden="true" />
      </nav>
      <h1 className="sr">{name}</h1>
      <input
        className="title-input"
        aria-label={t.editor.name}
        value={name}
        readOnly={readOnly}
        onChange={(event) => {
          const next = event.target.value;
          editor.edit(
            t.editor.renamed,
            (draft) => {
              draft.name = next;
            },
            "name",
          );
        }}
      />
      <LivePill onPublish={onPublish} />
      <SaveState />
      <span className="grow" />
      <Segmented
        label={t.editor.view}
        value={view}
        onChange={(next) => (next === ("executions" as string) ? void navigate({ to: "/executions", search: { workflow: id } }) : onView(next))}
        options={[
          { value: "canvas", text: t.editor.canvas },
          { value: "code", text: t.editor.code },
          { value: "executions" as "canvas", text: t.editor.executions },
        ]}
      />
      <span className="bar-sep hide-narrow" />
      <Button className="hide-narrow" kind="quiet" icon label={past.length > 0 ? t.editor.undo(past.at(-1)!.label) : t.editor.nothingToUndo} keys="Mod+Z" aria-disabled={past.length === 0} onClick={editor.undo}>
        <Undo2 className="icon" aria-hidden="true" />
      </Button>
      <Button className="hide-narrow" kind="quiet" icon label={future.length > 0 ? t.editor.redo(future.at(-1)!.label) : t.editor.nothingToRedo} keys="Mod+Shift+Z" aria-disabled={future.length === 0} onClick={editor.redo}>
        <Redo2 className="icon" aria-hidden="true" />
      </Button>
      <span className="bar-sep hide-narrow" />
      {execution && (
        <span className="row run-state">
          <Link to="/executions/$id" params={{ id: execution.id }} title={t.editor.openExecution} aria-label={`${t.editor.openExecution}: ${t.status[execution.status]}`}>
            <StatusBadge status={execution.status} />
          </Link>
          {running ? (
            <Button kind="quiet" icon label={t.editor.stop} keys="Mod+." onClick={onStop}>
              <Square className="icon sm" aria-hidden="true" />
            </Button>
          ) : (
            <Button kind="quiet" icon label={t.editor.clearRun} onClick={onClear}>
              <X className="icon sm" aria-hidden="true" />
            </Button>
          )}
        </span>
      )}
      <span className="btn-split">
        <Button size="lg" title={t.editor.run} keys="Mod+Enter" onClick={() => onRun({})}>
          <Play className="icon sm solid" aria-hidden="true" />
          {t.editor.run}
        </Button>
        <Menu
          trigger={
            <button type="button" className="btn btn-lg" aria-label={t.editor.runOptions}>
              <ChevronDown className="icon xs" aria-hidden="true" />
            </button>
          }
          items={[
            { text: t.editor.runDraft, keys: "Mod+Enter", onSelect: () => onRun({ draft: true }) },
            { text: t.editor.runWithInput, onSelect: () => onRun({ withInput: true }) },
            ...(workflow.published_version === null ? [] : [{ text: t.editor.runPublished(workflow.published_version), onSelect: () => onRun({ draft: false, withInput: true }) }]),
            "separator" as const,
            { text: t.editor.runTo, keys: "Mod+Shift+Enter", disabled: step === null, onSelect: () => onRun({ partial: { mode: "to", step: step! } }) },
            { text: t.editor.runOnly, keys: "Alt+Enter", disabled: step === null, onSelect: () => onRun({ partial: { mode: "only", step: step! } }) },
            { text: t.editor.runFrom, disabled: step === null, onSelect: () => onRun({ partial: { mode: "from", step: step! } }) },
          ]}
        />
      </span>
      {!readOnly && (
        <Button kind="primary" size="lg" title={t.editor.publish} keys="Mod+Shift+S" onClick={onPublish}>
          {t.editor.publish}
        </Button>
      )}
    </header>
  );
}

/** `Live v12 | draft +3`: impossible to miss, and one press from what differs. */
function LivePill({ onPublish }: { onPublish: () => void }) {
  const workflow = useEditorState((state) => state.workflow);
  const published = useEditorState((state) => state.published);
  const document = useEditorState((state) => state.history.document);
  const changes = published ? diffOnce(published.document, document).count : null;
  const live = workflow.published_version === null ? t.pill.never : workflow.enabled ? t.pill.live(workflow.published_version) : t.pill.disabled;
  const draft = changes === null ? (workflow.published_version === null ? t.pill.draftOnly : null) : changes > 0 ? t.pill.draft(changes) : null;
  return (
    <button type="button" className="pill" aria-label={t.pill.label([live, draft].filter(Boolean).join(" "))} onClick={onPublish}>
      <span className={workflow.published_version === null || !workflow.enabled ? "t3" : "pill-live"}>
        {workflow.published_version !== null && workflow.enabled && (
          <svg className="st st-live" viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="8" cy="8" r="4" fill="currentColor" />
          </svg>
        )}
        {live}
      </span>{" "}
      {draft && <span className="pill-draft">{draft}</span>}
    </button>
  );
}

function SaveState() {
  const state = useEditorState((editor) => editor.saveState);
  const error = useEditorState((editor) => editor.saveError);
  return (
    <span className="saved" role="status" title={error ?? undefined}>
      {state === "saved" ? <Check className="icon sm" aria-hidden="true" /> : state === "conflict" ? <StatusGlyph status="failed" className="sm" /> : error ? <CloudOff className="icon sm" aria-hidden="true" /> : null}
      {state === "saved" ? t.editor.saved : state === "saving" ? t.editor.saving : state === "conflict" ? t.editor.conflict : error ? t.editor.unsaved : t.editor.saving}
    </span>
  );
}


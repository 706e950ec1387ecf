/** What stands on the canvas: steps, triggers, notes (anatomy: visual language section 3). Plain elements, no hooks per step but React Flow's. */
import { Handle, NodeResizeControl, Position, type NodeProps } from "@xyflow/react";
import clsx from "clsx";
import { Pin, Plus, RotateCcw } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";

import { portY } from "../../graph/anatomy";
import { tell, tellTrigger } from "../../graph/telling";
import { formatDuration } from "../../lib/format";
import { useNow } from "../../lib/hooks";
import { t } from "../../text";
import { categoryOf, TypeTile } from "../../ui/icons";
import { Markdown } from "../../ui/markdown";
import { StatusGlyph } from "../../ui/status";
import type { CanvasNode, NoteData, StepData, TriggerData } from "./derive";
import { useCanvasActions } from "./actions";

type Of<D> = NodeProps<Extract<CanvasNode, { data: D }>>;

export const StepNode = memo(function StepNode({ id, data, selected }: Of<StepData>) {
  const { step, type, ports, plain, problems, mark, pinned, progress, plan, heat } = data;
  const name = step.name ?? step.id;
  const attempts = step.retry_config ? (step.retry_config.max_attempts ?? 3) : 1;
  const { marked, connecting, candidate } = useCanvasActions();
  return (
    <div
      className={clsx(
        "node", progress && "has-status", step.for_each !== undefined && "node-each", selected && "is-selected", step.disabled && "is-off", mark === "removed" && "is-ghost", marked.has(id) && "is-found",
        connecting === id && "is-connecting", candidate === id && "is-candidate",
      )}
      data-cat={categoryOf(step.step_type)}
      data-s={progress?.status}
      data-step={id}
      {...(heat === null ? {} : { "data-heat": Math.ceil(heat * 5) })}
    >
      <Handle type="target" position={Position.Left} id="in" className="h-in" isConnectable={!data.readOnly} />
      <i className="in" />
      <div className="node-head">
        <TypeTile type={step.step_type} icon={type?.icon} />
        <span className="node-text">
          <span className="node-name">{name}</span>
          <span className="node-sub">
            {progress ? <ProgressLine progress={progress} /> : <span>{tell(step)}</span>}
            {!progress && attempts > 1 && (
              <span className="re" title={t.node.retries(attempts)}>
                <RotateCcw className="icon" aria-hidden="true" />
                {attempts}
              </span>
            )}
            {plan === "reuse" && <span className="reuse">{t.node.reuse}</span>}
          </span>
        </span>
      </div>
      {plain && <Out id="out" y={portY(-1)} readOnly={data.readOnly} />}
      {ports.length > 0 && (
        <ul className="ports">
          {ports.map((port) => (
            <li key={port} className={port === "error" ? "p-error" : undefined}>
              {port === "error" ? t.node.error : port}
            </li>
          ))}
        </ul>
      )}
      {ports.map((port, index) => (
        <Out key={port} id={`port:${port}`} y={portY(index)} error={port === "error"} readOnly={data.readOnly} port />
      ))}
      {step.join && step.join !== "default" && <span className="join-mark">{t.node.join[step.join]}</span>}
      {typeof plan === "number" && <span className="mark mark-plan">{plan}</span>}
      {plan === null && mark === "changed" && <span className="mark mark-edit" />}
      {plan === null && mark === "added" && (
        <span className="mark mark-add">
          <Plus className="icon" aria-hidden="true" />
        </span>
      )}
      {problems > 0 && (
        <span className="mark mark-problem" title={t.node.problems(problems)}>
          <StatusGlyph status="failed" />
        </span>
      )}
      {progress && progress.attempts > 1 && (
        <span className={clsx("mark mark-tries", progress.status === "failed" && "bad", progress.status === "retrying" && "warn")}>
          <RotateCcw className="icon" aria-hidden="true" />
          {progress.attempts}/{Math.max(attempts, progress.attempts)}
        </span>
      )}
      {pinned && !progress && (
        <span className="mark mark-pin">
          <Pin className="icon" aria-hidden="true" />
          {t.node.pinned}
        </span>
      )}
      {progress?.items && progress.items.all <= 24 && progress.status === "running" && <Segments items={progress.items} />}
    </div>
  );
});

function Out({ id, y, error, readOnly, port }: { id: string; y: number; error?: boolean; readOnly: boolean; port?: boolean }) {
  return (
    <Handle type="source" position={Position.Right} id={id} isConnectable={!readOnly} className={clsx("h-out", port && "h-port", error && "h-error", readOnly && "h-still")} style={{ top: y - 1 }}>
      <i />
    </Handle>
  );
}

function Segments({ items }: { items: { done: number; failed: number; all: number } }) {
  return (
    <span className="segs">
      {Array.from({ length: items.all }, (_, index) => (
        <b key={index} className={index < items.done ? "ok" : index < items.done + items.failed ? "bad" : "run"} />
      ))}
    </span>
  );
}

function ProgressLine({ progress }: { progress: NonNullable<StepData["progress"]> }) {
  const { status, startedAt, endedAt, nextAttemptAt, items, error } = progress;
  const now = useNow(status === "running" || status === "retrying", status === "retrying" ? 500 : 100);
  const time = startedAt && endedAt ? formatDuration(Date.parse(endedAt) - Date.parse(startedAt)) : startedAt && status === "running" ? formatDuration(now - Date.parse(startedAt)) : "";
  let words: string = time || t.status[status];
  if (items) words = `${t.execution.items(items.done, items.all, items.failed)}${time ? `, ${time}` : ""}`;
  else if (status === "retrying" && nextAttemptAt) words = t.execution.next_in(formatDuration(Math.max(0, Date.parse(nextAttemptAt) - now)));
  else if (status === "failed" && error) words = error;
  else if (status === "waiting" || status === "queued") words = t.status[status];
  return (
    <>
      <StatusGlyph status={status} />
      <span title={status === "failed" && error ? error : undefined}>{words}</span>
    </>
  );
}

export const TriggerNode = memo(function TriggerNode({ data, selected }: Of<TriggerData>) {
  const { trigger, progress, state } = data;
  const off = trigger?.enabled === false;
  return (
    <div className={clsx("node node-trigger", progress && "has-status", selected && "is-selected", off && "is-off")} data-cat="trigger" data-s={progress ? "completed" : undefined}>
      <div className="node-head">
        <TypeTile type={trigger?.trigger_type ?? "manual"} />
        <span className="node-text">
          <span className="node-name">{trigger?.id ?? t.app_trigger.start}</span>
          <span className="node-sub">
            <span data-bad={state ? "" : undefined}>{trigger ? (off ? t.node.off : (state ?? tellTrigger(trigger))) : t.node.manual}</span>
          </span>
        </span>
      </div>
      <Out id="out" y={24} readOnly={progress} />
    </div>
  );
});

export const NoteNode = memo(function NoteNode({ id, data, selected }: Of<NoteData>) {
  const { note, readOnly } = data;
  const { setNote, editingNote, editNote } = useCanvasActions();
  const editing = editingNote === note.id && !readOnly;
  return (
    <aside className={clsx("note", selected && "is-selected")} data-note={id} onDoubleClick={() => !readOnly && editNote(note.id)}>
      {editing ? <NoteText text={note.text} onDone={(text) => setNote(note.id, text)} /> : <Markdown text={note.text} />}
      {!readOnly && selected && <NodeResizeControl minWidth={96} minHeight={48} className="handle" position="bottom-right" onResizeEnd={(_event, { width, height }) => setNote(note.id, undefined, [Math.round(width), Math.round(height)])} />}
    </aside>
  );
});

function NoteText({ text, onDone }: { text: string; onDone: (text: string) => void }) {
  const [value, setValue] = useState(text);
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.select(), []);
  return (
    <textarea
      ref={area}
      className="nodrag nowheel"
      aria-label={t.editor.addNote}
      value={value}
      onChange={(event) => setValue(event.target.value)}
      onBlur={() => onDone(value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") onDone(value);
        event.stopPropagation();
      }}
    />
  );
}

export const nodeTypes = { step: StepNode, trigger: TriggerNode, note: NoteNode };

/** The step panel: what a step does, how reliable it is, what it gave. Beside the canvas, never over it. */
import { useQuery } from "@tanstack/react-query";
import { Ellipsis, Pin, PinOff, Play } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";

import { executionQuery } from "../../../api/queries";
import { wiredPorts } from "../../../graph/anatomy";
import { findStep, stepIds, type Json, type Step } from "../../../graph/document";
import { changeStepId, pin, setField } from "../../../graph/edits";
import { endingOf } from "../../../graph/reliability";
import { formatTime } from "../../../lib/format";
import { t } from "../../../text";
import { Button, Menu, Tabs, type MenuItem } from "../../../ui/controls";
import { TypeTile } from "../../../ui/icons";
import { toast } from "../../../ui/toast";
import { DataTree } from "../../data/viewer";
import { StepOutput } from "../../executions/step_output";
import { scopeFor } from "../scope";
import { useEditor, useEditorState, type StepTab } from "../store";
import { useMarks, useTypes } from "../use_view";
import { insertIntoField } from "./focus";
import { JsonField, Parameters } from "./parameters";
import { Reliability, sentenceOf } from "./reliability";

type Props = { id: string; readOnly: boolean; onRunOnly: (id: string) => void; menu: (id: string) => MenuItem[] };

export function StepPanel({ id, readOnly, onRunOnly, menu }: Props) {
  const editor = useEditor();
  const document = useEditorState((state) => state.history.document);
  const tab = useEditorState((state) => state.stepTab);
  const live = useEditorState((state) => state.execution);
  const sampleId = useEditorState((state) => state.sampleId);
  const types = useTypes();
  const marks = useMarks();
  const sample = useQuery({ ...executionQuery(sampleId ?? ""), enabled: sampleId !== null && live === null });
  const execution = live ?? sample.data ?? null;
  const step = findStep(document, id);
  const captured = useEditorState((state) => (live === null ? state.sampleInput : null));
  const latest = useRef({ document, execution, types, captured });
  latest.current = { document, execution, types, captured };
  const scope = useCallback(() => scopeFor(latest.current.document, id, latest.current.types, latest.current.execution, latest.current.captured).scope, [id]);
  if (!step) return null;
  const type = types.get(step.step_type);
  const wired = wiredPorts(document).get(id);
  const { head, tail } = sentenceOf(step, endingOf(step, wired));
  const choose = (next: StepTab): void => editor.setState({ stepTab: next });
  return (
    <>
      <header className="dock-head">
        <TypeTile type={step.step_type} icon={type?.icon} />
        <div className="clip">
          <input className="name-input" aria-label={t.panel.stepName} value={step.name ?? ""} placeholder={step.id} readOnly={readOnly} onChange={(event) => editor.edit(t.labels.rename(event.target.value), setField(id, "name", event.target.value || undefined), `${id}/name`)} />
          <p className="sub">
            <span>{type?.title ?? step.step_type}</span> · <StepId key={id} step={step} readOnly={readOnly} />
          </p>
        </div>
        <div className="row gap-0.5">
          <Button kind="quiet" icon label={t.panel.runOnly} keys="Alt+Enter" onClick={() => onRunOnly(id)}>
            <Play className="icon" aria-hidden="true" />
          </Button>
          {!readOnly && (
            <Menu
              trigger={
                <Button kind="quiet" icon label={t.app.more}>
                  <Ellipsis className="icon" aria-hidden="true" />
                </Button>
              }
              items={menu(id)}
            />
          )}
        </div>
      </header>
      <Tabs
        label={t.panel.tabs}
        value={tab}
        onChange={choose}
        options={[
          {
            value: "parameters",
            text: (
              <>
                {t.panel.parameters}
                {marks.get(id) && <i className="dot-plan" />}
              </>
            ),
          },
          { value: "reliability", text: t.panel.reliability },
          { value: "output", text: t.panel.output },
        ]}
      />
      <div className="dock-scroll">
        {tab === "parameters" && <Parameters key={id} step={step} type={type} scope={scope} readOnly={readOnly} />}
        {tab === "reliability" && <Reliability key={id} step={step} type={type} document={document} wired={wired} readOnly={readOnly} />}
        {tab === "output" && <Output key={id} step={step} readOnly={readOnly} />}
      </div>
      {tab === "parameters" && <Upstream id={id} />}
      {tab === "parameters" && (
        <div className="summary">
          <span />
          <p>
            <strong>{head}</strong> {tail}
          </p>
          <Button kind="quiet" size="sm" onClick={() => choose("reliability")}>
            {t.reliability.edit}
          </Button>
        </div>
      )}
    </>
  );
}

function StepId({ step, readOnly }: { step: Step; readOnly: boolean }) {
  const editor = useEditor();
  const [text, setText] = useState(step.id);
  const apply = (): void => {
    if (text === step.id) return;
    const bad = !/^[a-z][a-z0-9_]{0,62}$/.test(text) ? t.panel.idBad : stepIds(editor.getState().history.document).has(text) ? t.panel.idTaken : null;
    if (bad) {
      toast(bad);
      setText(step.id);
      return;
    }
    editor.edit(t.labels.changeId(text), changeStepId(step.id, text));
    editor.select([text]);
  };
  return (
    <input
      className="id-input"
      aria-label={t.panel.stepId}
      title={t.panel.idHelp}
      value={text}
      readOnly={readOnly}
      spellCheck={false}
      onChange={(event) => setText(event.target.value)}
      onBlur={apply}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") setText(step.id);
      }}
    />
  );
}

/** Data of the steps before, to drag or insert into a field. */
function Upstream({ id }: { id: string }) {
  const document = useEditorState((state) => state.history.document);
  const live = useEditorState((state) => state.execution);
  const sampleId = useEditorState((state) => state.sampleId);
  const sample = useQuery({ ...executionQuery(sampleId ?? ""), enabled: sampleId !== null && live === null });
  const execution = live ?? sample.data ?? null;
  const captured = useEditorState((state) => (live === null ? state.sampleInput : null));
  const types = useTypes();
  const value = useMemo(() => {
    const { scope } = scopeFor(document, id, types, execution, captured);
    const { input, steps } = scope;
    return { input: input ?? null, steps: steps ?? {} } as Json;
  }, [document, id, types, execution, captured]);
  const [open, setOpen] = useState(true);
  return (
    <section className="upstream" aria-label={t.panel.upstreamTitle}>
      <header>
        <button type="button" className="b" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t.panel.dataFrom}
        </button>
        <span className="clip">{execution ? t.panel.sample(formatTime(execution.started_at)) : t.panel.sampleNone}</span>
      </header>
      {open && (
        <DataTree
          value={value}
          base={[]}
          label={t.panel.upstreamTitle}
          onInsert={(expression) => {
            if (!insertIntoField(expression)) void navigator.clipboard.writeText(`{{ ${expression} }}`).then(() => toast(t.app.copied));
          }}
        />
      )}
    </section>
  );
}

function Output({ step, readOnly }: { step: Step; readOnly: boolean }) {
  const editor = useEditor();
  const execution = useEditorState((state) => state.execution);
  const pins = useEditorState((state) => state.history.document.ui?.pins);
  const pinned = pins?.[step.id];
  const task = execution?.tasks.find((candidate) => candidate.step === step.id && candidate.index === null) ?? execution?.tasks.find((candidate) => candidate.step === step.id);
  const canPin = task?.status === "completed" && !readOnly;
  if (pinned !== undefined)
    return (
      <div className="form">
        <div className="row">
          <span className="label grow">{t.data.pinEdit}</span>
          <Button size="sm" disabled={readOnly} onClick={() => editor.edit(t.labels.unpin, pin(step.id, undefined))}>
            <PinOff className="icon sm" aria-hidden="true" />
            {t.data.unpin}
          </Button>
        </div>
        <JsonField label={t.data.pinEdit} value={pinned} onChange={(value) => value !== undefined && editor.edit(t.labels.pin, pin(step.id, value), `${step.id}/pin`)} />
        <p className="help">{t.data.pinHelp}</p>
      </div>
    );
  if (!execution || !task)
    return (
      <div className="form">
        <p className="help">{t.data.empty}</p>
        {!readOnly && (
          <Button size="sm" className="more-set" onClick={() => editor.edit(t.labels.pin, pin(step.id, {}))}>
            <Pin className="icon sm" aria-hidden="true" />
            {t.data.pin}
          </Button>
        )}
      </div>
    );
  return (
    <StepOutput
      execution={execution.id}
      tasks={execution.tasks.filter((candidate) => candidate.step === step.id)}
      actions={
        canPin ? (
          <Button kind="quiet" icon label={t.data.pin} keys="P" onClick={() => editor.edit(t.labels.pin, pin(step.id, task.result as Json))}>
            <Pin className="icon sm" aria-hidden="true" />
          </Button>
        ) : null
      }
    />
  );
}

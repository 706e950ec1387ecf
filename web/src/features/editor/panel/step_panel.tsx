/** The step panel: what a step does, how reliable it is, what it gave. Beside the canvas, never over it. */
import { Ellipsis, Pin, PinOff, Play } from "lucide-react";
import { useState } from "react";

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
import { isTruncated } from "../../executions/large";
import { StepOutput } from "../../executions/step_output";
import { JsonField } from "../../forms/json_field";
import { useEditor, useEditorState, type StepTab } from "../store";
import { useMarks, useTypes } from "../use_view";
import { insertIntoField } from "./focus";
import { Parameters } from "./parameters";
import { Reliability, sentenceOf } from "./reliability";
import { useStepScope, type StepScope } from "./use_scope";

type Props = { id: string; readOnly: boolean; onRunOnly: (id: string) => void; menu: (id: string) => MenuItem[] };

export function StepPanel({ id, readOnly, onRunOnly, menu }: Props) {
  const editor = useEditor();
  const document = useEditorState((state) => state.history.document);
  const tab = useEditorState((state) => state.stepTab);
  const types = useTypes();
  const marks = useMarks();
  const step = findStep(document, id);
  const scope = useStepScope(id);
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
      {tab === "parameters" && <Upstream scope={scope} />}
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
function Upstream({ scope: { execution, upstream } }: { scope: StepScope }) {
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
          value={upstream}
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
  const canPin = task?.status === "completed" && !readOnly && !isTruncated(task.result);
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

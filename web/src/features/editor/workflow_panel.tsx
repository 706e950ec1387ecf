/** What the dock shows while no single step is chosen: the workflow itself. */
import { useId } from "react";

import type { Json, JsonObject } from "../../graph/document";
import { tellTrigger } from "../../graph/telling";
import { t } from "../../text";
import { Button, Field } from "../../ui/controls";
import { addTriggerOf, triggerKinds } from "./add_trigger";
import { ExpressionField } from "./panel/expression_field";
import { JsonField } from "../forms/json_field";
import { useEditor, useEditorState } from "./store";

/** What starts it; each is a node at the head of the canvas. */
function Triggers({ readOnly }: { readOnly: boolean }) {
  const editor = useEditor();
  const triggers = useEditorState((state) => state.history.document.triggers) ?? [];
  return (
    <div className="field">
      <div className="field-head">
        <span className="label">{t.workflowPanel.triggers}</span>
      </div>
      <ul className="trigger-list">
        {triggers.map((trigger) => (
          <li key={trigger.id}>
            <button type="button" className="link" onClick={() => editor.select([`trigger:${trigger.id}`])}>
              {t.quick.triggers[trigger.trigger_type as keyof typeof t.quick.triggers] ?? trigger.trigger_type} {tellTrigger(trigger)}
            </button>
          </li>
        ))}
      </ul>
      {!readOnly && (
        <div className="row wrap gap-2">
          {triggerKinds.map((type) => (
            <Button key={type} size="sm" onClick={() => addTriggerOf(editor, type)}>
              {t.workflowPanel.addTrigger[type]}
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}

export function WorkflowPanel({ readOnly }: { readOnly: boolean }) {
  const editor = useEditor();
  const id = useId();
  const document = useEditorState((state) => state.history.document);
  const selected = useEditorState((state) => state.selection.size);
  const set = <K extends "description" | "inputs" | "output" | "tags" | "settings">(field: K, value: (typeof document)[K] | undefined): void =>
    editor.edit(
      t.labels.settings,
      (draft) => {
        if (value === undefined) delete draft[field];
        else draft[field] = value as never;
      },
      field,
    );
  const settings = (document.settings ?? {}) as { [name: string]: Json };
  const setting = (name: string, value: Json | undefined): void => {
    const next = { ...settings };
    if (value === undefined) delete next[name];
    else next[name] = value;
    set("settings", Object.keys(next).length > 0 ? next : undefined);
  };
  return (
    <div className="dock-scroll">
      <header className="dock-head dock-head-plain">
        <h2>{selected > 1 ? t.workflows.steps_(selected) : t.editor.wholeWorkflow}</h2>
      </header>
      <form className="form" aria-label={t.editor.wholeWorkflow} onSubmit={(event) => event.preventDefault()}>
        <fieldset disabled={readOnly} className="grid gap-3.5">
          <Field label={t.workflowPanel.description} id={`${id}-description`}>
            <textarea id={`${id}-description`} className="input" rows={3} value={document.description ?? ""} onChange={(event) => set("description", event.target.value || undefined)} />
          </Field>
          <Field label={t.workflowPanel.tags} id={`${id}-tags`} help={t.workflowPanel.tagsHelp}>
            <input
              id={`${id}-tags`}
              className="input"
              defaultValue={(document.tags ?? []).join(", ")}
              onBlur={(event) => {
                const tags = event.target.value.split(",").map((tag) => tag.trim()).filter(Boolean);
                set("tags", tags.length > 0 ? tags : undefined);
              }}
            />
          </Field>
          <Triggers readOnly={readOnly} />
          <div className="field">
            <div className="field-head">
              <span className="label">{t.workflowPanel.inputs}</span>
            </div>
            <JsonField label={t.workflowPanel.inputs} value={document.inputs} onChange={(value) => set("inputs", value as JsonObject | undefined)} />
            <p className="help">{t.workflowPanel.inputsHelp}</p>
          </div>
          <div className="field">
            <div className="field-head">
              <span className="label">{t.workflowPanel.output}</span>
            </div>
            {document.output === undefined || typeof document.output === "string" ? (
              <ExpressionField
                value={document.output ?? ""}
                onChange={(text) => set("output", text === "" ? undefined : text)}
                label={t.workflowPanel.output}
                scope={() => ({ input: {}, steps: Object.fromEntries(editor.getState().history.document.steps.map((step) => [step.id, { output: null }])) })}
              />
            ) : (
              <JsonField label={t.workflowPanel.output} value={document.output} onChange={(value) => set("output", value)} />
            )}
            <p className="help">{t.workflowPanel.outputHelp}</p>
          </div>
          <div className="two">
            <Field label={t.workflowPanel.timeout} id={`${id}-timeout`}>
              <input id={`${id}-timeout`} className="input" type="number" min={0.001} step="any" value={typeof settings.timeout_seconds === "number" ? settings.timeout_seconds : ""} onChange={(event) => setting("timeout_seconds", event.target.value === "" ? undefined : Number(event.target.value))} />
            </Field>
            <Field label={t.workflowPanel.retention} id={`${id}-retention`}>
              <input id={`${id}-retention`} className="input" type="number" min={1} value={typeof settings.retention_days === "number" ? settings.retention_days : ""} onChange={(event) => setting("retention_days", event.target.value === "" ? undefined : Number(event.target.value))} />
            </Field>
          </div>
        </fieldset>
      </form>
    </div>
  );
}

/** A step's form, made from its type's JSON Schema. Each field is fixed or an expression, and keeps both. */
import { ChevronDown, ChevronRight, Plus, X } from "lucide-react";
import { useId, useMemo, useState } from "react";

import type { TaskType } from "../../../api/client";
import type { Scope } from "../../../graph/completion";
import { isExpression, type Join, type Json, type JsonObject, type Step } from "../../../graph/document";
import { keepAlternative, setConfig, setField, setJoin } from "../../../graph/edits";
import { t } from "../../../text";
import { CodeField } from "../../../ui/code";
import { Button, Segmented } from "../../../ui/controls";
import { JsonField } from "../../forms/json_field";
import { useEditor, useEditorState, type Problem } from "../store";
import { ExpressionField } from "./expression_field";
import { ItemPicker } from "./item_picker";
import { fieldsOf, type FieldSpec } from "./schema";
import type { StepScope } from "./use_scope";

type Props = { step: Step; type: TaskType | undefined; scope: StepScope; readOnly: boolean };

export function Parameters({ step, type, scope, readOnly }: Props) {
  const editor = useEditor();
  const problems = useEditorState((state) => state.problems);
  const [more, setMore] = useState(false);
  const fields = useMemo(() => (type ? fieldsOf(type.config_schema as JsonObject) : []), [type]);
  const own = useMemo(() => problems.filter((problem) => problem.step === step.id), [problems, step.id]);
  const errorOf = (field: string): string | undefined => own.find((problem) => problem.field === `config/${field}` || problem.field?.startsWith(`config/${field}/`))?.message;
  const shown = fields.filter((field) => field.required || step.config?.[field.name] !== undefined || fields.length <= 3 || errorOf(field.name));
  const rest = fields.filter((field) => !shown.includes(field));
  const change = (name: string, value: Json | undefined): void => editor.edit(t.labels.config(name), setConfig(step.id, name, value), `${step.id}/${name}`);
  const missing = own.filter((problem) => problem.field === "config" || problem.field === "step_type" || problem.field === null);
  return (
    <form className="form" aria-label={t.panel.parameters} onSubmit={(event) => event.preventDefault()}>
      <fieldset disabled={readOnly} className="grid gap-3.5">
        {!type && <p className="help bad">{t.panel.unknownType(step.step_type)}</p>}
        {missing.map((problem, index) => (
          <p key={index} className="help bad" role="alert">
            {problem.message}
          </p>
        ))}
        {!type && <RawConfig step={step} />}
        {scope.items && <ItemPicker items={scope.items} />}
        {shown.map((field) => (
          <ConfigField key={`${step.id}/${field.name}`} stepId={step.id} field={field} value={step.config?.[field.name]} error={errorOf(field.name)} scope={() => scope.of(field.name)} onChange={(value) => change(field.name, value)} />
        ))}
        {type && fields.length === 0 && <p className="help">{t.panel.noConfig}</p>}
        {rest.length > 0 && (
          <Button kind="quiet" size="sm" className="more-set" aria-expanded={more} onClick={() => setMore(!more)}>
            {more ? <ChevronDown className="icon sm" aria-hidden="true" /> : <ChevronRight className="icon sm" aria-hidden="true" />}
            {t.panel.showMore(rest.length)} <span className="t3">{t.panel.atDefaults}</span>
          </Button>
        )}
        {more &&
          rest.map((field) => (
            <ConfigField key={`${step.id}/${field.name}`} stepId={step.id} field={field} value={step.config?.[field.name]} error={errorOf(field.name)} scope={() => scope.of(field.name)} onChange={(value) => change(field.name, value)} />
          ))}
        <Flow step={step} type={type} scope={scope} problems={own} />
      </fieldset>
    </form>
  );
}

/** What concerns the step's place in the graph: list, join, note, disabled. */
function Flow({ step, type, scope, problems }: { step: Step; type: TaskType | undefined; scope: StepScope; problems: readonly Problem[] }) {
  const editor = useEditor();
  const id = useId();
  const canRepeat = !type || (type.ports.length === 0 && !type.dynamic_ports);
  const sources = (step.depends_on ?? []).length;
  return (
    <>
      {canRepeat && (
        <div className="field">
          <div className="field-head">
            <span className="label">{t.panel.forEach}</span>
          </div>
          <ExpressionField
            value={step.for_each === undefined ? "" : typeof step.for_each === "string" ? step.for_each : JSON.stringify(step.for_each)}
            onChange={(text) => editor.edit(t.labels.config("for_each"), setField(step.id, "for_each", text === "" ? undefined : text.includes("{{") ? text : parse(text)), `${step.id}/for_each`)}
            label={t.panel.forEach}
            scope={() => scope.of("for_each")}
            singleLine
          />
          <p className="help">{problems.find((problem) => problem.field === "for_each")?.message ?? t.panel.forEachHelp}</p>
        </div>
      )}
      {sources > 1 && (
        <div className="field">
          <div className="field-head">
            <label htmlFor={`${id}-join`}>{t.panel.join}</label>
          </div>
          <select id={`${id}-join`} className="input select" value={step.join ?? "default"} onChange={(event) => editor.edit(t.labels.config("join"), setJoin(step.id, event.target.value as Join))}>
            {(["default", "all", "any", "always"] as const).map((join) => (
              <option key={join} value={join}>
                {t.panel.joinChoices[join]}
              </option>
            ))}
          </select>
        </div>
      )}
      {sources <= 1 && step.join === "always" && <p className="help">{t.panel.joinChoices.always}</p>}
      <label className="row">
        <input className="switch" type="checkbox" role="switch" checked={step.disabled ?? false} onChange={(event) => editor.edit(event.target.checked ? t.labels.disable : t.labels.enable, setField(step.id, "disabled", event.target.checked ? true : undefined))} />
        {t.panel.disabledSwitch}
      </label>
    </>
  );
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

type FieldProps = { stepId: string; field: FieldSpec; value: Json | undefined; error: string | undefined; scope: () => Scope; onChange: (value: Json | undefined) => void };

function ConfigField({ stepId, field, value, error, scope, onChange }: FieldProps) {
  const editor = useEditor();
  const id = useId();
  const key = `${stepId}.${field.name}`;
  const kept = useEditorState((state) => state.history.document.ui?.alternatives?.[key]);
  const toggles = field.widget !== "expression" && field.widget !== "map" && field.widget !== "json" && field.widget !== "code";
  const [chosen, setChosen] = useState<"fixed" | "expression" | null>(null);
  const mode = chosen ?? (isExpression(value) ? "expression" : "fixed");
  const switchTo = (next: "fixed" | "expression"): void => {
    setChosen(next);
    if (next === mode) return;
    editor.edit(t.labels.toggle(field.title), (draft) => {
      keepAlternative(key, value)(draft);
      setConfig(stepId, field.name, kept)(draft);
    });
  };
  const label = `${field.title}${field.required ? `, ${t.panel.required}` : ""}`;
  return (
    <div className="field" data-field={field.name}>
      <div className="field-head">
        <label htmlFor={id}>{field.title}</label>
        {field.required && <span className="req">{t.panel.required}</span>}
        {toggles && (
          <span className="mode" role="radiogroup" aria-label={t.panel.valueOf(field.title)}>
            <button type="button" role="radio" aria-checked={mode === "fixed"} onClick={() => switchTo("fixed")}>
              {t.panel.fixed}
            </button>
            <button type="button" role="radio" aria-checked={mode === "expression"} className="fx" onClick={() => switchTo("expression")}>
              {t.panel.expression}
            </button>
          </span>
        )}
      </div>
      {mode === "expression" && toggles ? (
        <ExpressionField value={toText(value)} onChange={(text) => onChange(text === "" ? undefined : text)} label={label} scope={scope} autoFocus={chosen === "expression"} hint="{{ input… }}" />
      ) : (
        <Widget
          id={id}
          field={field}
          value={value}
          label={label}
          invalid={error !== undefined}
          scope={scope}
          onChange={(next) => {
            // `=` as the first letter of an empty field means: an expression
            if (toggles && next === "=" && (value === undefined || value === "")) {
              setChosen("expression");
              onChange("{{  }}");
            } else onChange(next);
          }}
        />
      )}
      {error ? (
        <p className="help bad" role="alert">
          {error}
        </p>
      ) : (
        field.help && <p className="help">{field.help}</p>
      )}
    </div>
  );
}

function toText(value: Json | undefined): string {
  return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

type WidgetProps = { id: string; field: FieldSpec; value: Json | undefined; label: string; invalid: boolean; scope: () => Scope; onChange: (value: Json | undefined) => void };

function Widget({ id, field, value, label, invalid, scope, onChange }: WidgetProps) {
  const common = { id, className: "input", "aria-invalid": invalid || undefined } as const;
  switch (field.widget) {
    case "choice":
      return (
        <select {...common} className="input select" value={toText(value)} onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)}>
          <option value="">{field.preset === undefined ? "" : String(field.preset)}</option>
          {field.choices
            .filter((choice) => choice !== field.preset)
            .map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
        </select>
      );
    case "switch":
      return <input id={id} className="switch" type="checkbox" role="switch" checked={(value ?? field.preset) === true} onChange={(event) => onChange(event.target.checked === (field.preset ?? false) ? undefined : event.target.checked)} />;
    case "number":
      return (
        <input
          {...common}
          type="number"
          step="any"
          min={field.minimum}
          max={field.maximum}
          placeholder={field.preset === undefined ? "" : String(field.preset)}
          value={typeof value === "number" ? value : ""}
          onChange={(event) => onChange(event.target.value === "" ? undefined : Number(event.target.value))}
        />
      );
    case "long":
      return <textarea {...common} rows={4} value={toText(value)} placeholder={toText(field.preset)} onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)} />;
    case "text":
      return <input {...common} type="text" spellCheck={false} value={toText(value)} placeholder={toText(field.preset)} onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)} />;
    case "map":
      return <MapField label={label} value={value} scope={scope} onChange={onChange} />;
    case "code":
      return <CodeField className="input code-input code-step" value={toText(value)} language={field.language ?? "javascript"} label={label} hint={field.example ?? ""} onChange={(text) => onChange(text === "" ? undefined : text)} />;
    case "json":
      return <JsonField label={label} value={value} onChange={onChange} />;
    case "expression":
      return typeof value === "string" || value === undefined ? (
        <ExpressionField value={toText(value)} onChange={(text) => onChange(text === "" ? undefined : text)} label={label} scope={scope} />
      ) : (
        <JsonField label={label} value={value} onChange={onChange} />
      );
  }
}

/** Names and values, each value a text that may hold expressions; any other JSON as raw text. */
function MapField({ label, value, scope, onChange }: { label: string; value: Json | undefined; scope: () => Scope; onChange: (value: Json | undefined) => void }) {
  const isMap = value === undefined || (typeof value === "object" && value !== null && !Array.isArray(value));
  const [raw, setRaw] = useState(!isMap);
  const entries = isMap ? Object.entries((value ?? {}) as JsonObject) : [];
  const rename = (index: number, name: string): void => onChange(Object.fromEntries(entries.map(([old, inner], at) => [at === index ? name : old, inner])));
  const set = (index: number, inner: Json): void => onChange(Object.fromEntries(entries.map(([name, old], at) => [name, at === index ? inner : old])));
  const remove = (index: number): void => {
    const left = entries.filter((_entry, at) => at !== index);
    onChange(left.length > 0 ? Object.fromEntries(left) : undefined);
  };
  const add = (): void => {
    let name = "name";
    for (let number = 2; entries.some(([other]) => other === name); ++number) name = `name_${number}`;
    onChange({ ...Object.fromEntries(entries), [name]: "" });
  };
  return (
    <div className="kv-edit">
      <div className="row">
        <Segmented
          label={label}
          value={raw ? "raw" : "fields"}
          onChange={(next) => setRaw(next === "raw")}
          options={[
            { value: "fields", text: t.panel.fields, disabled: !isMap },
            { value: "raw", text: t.panel.raw },
          ]}
        />
      </div>
      {raw ? (
        typeof value === "string" ? (
          <ExpressionField value={value} onChange={(text) => onChange(text === "" ? undefined : text)} label={label} scope={scope} />
        ) : (
          <JsonField label={label} value={value} onChange={onChange} />
        )
      ) : (
        <>
          {entries.map(([name, inner], index) => (
            <div key={index} className="kv-row">
              <input className="input mono" aria-label={`${label}: ${t.panel.fieldName} ${index + 1}`} value={name} spellCheck={false} onChange={(event) => rename(index, event.target.value)} />
              <ExpressionField value={toText(inner)} onChange={(text) => set(index, typeof inner !== "string" && !text.includes("{{") ? parse(text) : text)} label={`${label}: ${name}`} scope={scope} singleLine />
              <Button kind="quiet" size="sm" icon label={`${t.panel.remove} ${name}`} onClick={() => remove(index)}>
                <X className="icon xs" aria-hidden="true" />
              </Button>
            </div>
          ))}
          <Button kind="quiet" size="sm" className="more-set" onClick={add}>
            <Plus className="icon sm" aria-hidden="true" />
            {t.panel.addField}
          </Button>
        </>
      )}
    </div>
  );
}

function RawConfig({ step }: { step: Step }) {
  const editor = useEditor();
  return <JsonField label={t.panel.parameters} value={step.config} onChange={(value) => editor.edit(t.labels.config("config"), setField(step.id, "config", value as JsonObject | undefined), `${step.id}/config`)} />;
}

/** A form made from a JSON Schema: what a workflow asks for when it is run. Anything a field can not say stands beside it as JSON. */
import { useId, useState } from "react";

import type { Json, JsonObject } from "../../graph/document";
import { inputFields, linesToList, type InputField, type InputProblem } from "../../graph/inputs";
import { t } from "../../text";
import { Field } from "../../ui/controls";
import { JsonField } from "./json_field";

type Props = { schema: JsonObject; value: JsonObject; problems: readonly InputProblem[]; onChange: (value: JsonObject) => void; pointer?: string };

export function InputForm({ schema, value, problems, onChange, pointer = "" }: Props) {
  const set = (name: string, next: Json | undefined): void => {
    const { [name]: old, ...rest } = value;
    if (next === undefined) onChange(rest);
    else onChange(old === undefined ? { ...rest, [name]: next } : { ...value, [name]: next });
  };
  return (
    <>
      {inputFields(schema).map((field) => (
        <InputControl key={field.name} field={field} value={value[field.name]} problems={problems} pointer={`${pointer}/${field.name}`} onChange={(next) => set(field.name, next)} />
      ))}
    </>
  );
}

type ControlProps = { field: InputField; value: Json | undefined; problems: readonly InputProblem[]; pointer: string; onChange: (value: Json | undefined) => void };

function InputControl({ field, value, problems, pointer, onChange }: ControlProps) {
  const id = useId();
  const found = problems.find((problem) => problem.pointer === pointer || (field.kind !== "group" && problem.pointer.startsWith(`${pointer}/`)));
  const error = found ? t.run.wrong[found.problem](found.detail) : undefined;
  if (field.kind === "group")
    return (
      <fieldset className="input-group">
        <legend className="label">{field.title}</legend>
        {field.help && <p className="help">{field.help}</p>}
        <InputForm schema={field.schema} value={isMembers(value) ? value : {}} problems={problems} onChange={onChange} pointer={pointer} />
      </fieldset>
    );
  return (
    <Field id={id} label={field.title} error={error} help={field.help} aside={field.required ? <span className="req">{t.panel.required}</span> : undefined}>
      <Control id={id} field={field} value={value} invalid={error !== undefined} onChange={onChange} />
    </Field>
  );
}

function isMembers(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function Control({ id, field, value, invalid, onChange }: { id: string; field: InputField; value: Json | undefined; invalid: boolean; onChange: (value: Json | undefined) => void }) {
  const common = { id, className: "input", "aria-invalid": invalid || undefined, "aria-required": field.required || undefined } as const;
  const text = value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const write = (next: string): void => onChange(next === "" ? undefined : next);
  switch (field.kind) {
    case "choice":
      return (
        <select {...common} className="input select" value={value === undefined ? "" : JSON.stringify(value)} onChange={(event) => onChange(event.target.value === "" ? undefined : (JSON.parse(event.target.value) as Json))}>
          <option value="">{t.app.none}</option>
          {field.choices.map((choice) => (
            <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
              {String(choice)}
            </option>
          ))}
        </select>
      );
    case "switch":
      return <input id={id} className="switch" type="checkbox" role="switch" checked={value === true} onChange={(event) => onChange(event.target.checked)} />;
    case "number":
      return <input {...common} type="number" step={field.type === "integer" ? 1 : "any"} value={typeof value === "number" ? value : ""} onChange={(event) => onChange(event.target.value === "" ? undefined : Number(event.target.value))} />;
    case "long":
      return <textarea {...common} rows={4} value={text} onChange={(event) => write(event.target.value)} />;
    case "lines":
      return <Lines {...common} field={field} value={value} onChange={onChange} />;
    case "json":
    case "group":
      return <JsonField label={field.title} value={value} onChange={onChange} />;
    case "text":
      return <input {...common} type={inputTypes[String(field.schema.format)] ?? "text"} spellCheck={false} value={text} onChange={(event) => write(event.target.value)} />;
  }
}

const inputTypes: { [format: string]: string } = { email: "email", uri: "url", url: "url", date: "date", time: "time", password: "password" };

/** A list of texts or numbers, one a line; blank lines stay while one types. */
function Lines({ field, value, onChange, ...common }: { id: string; className: string; field: InputField; value: Json | undefined; onChange: (value: Json | undefined) => void }) {
  const given = Array.isArray(value) ? value.map(String).join("\n") : "";
  const [typed, setTyped] = useState<string | null>(null);
  const type = String((field.schema.items as JsonObject | undefined)?.type ?? "string");
  return (
    <textarea
      {...common}
      rows={3}
      placeholder={t.run.onePerLine}
      value={typed ?? given}
      onChange={(event) => {
        setTyped(event.target.value);
        const list = linesToList(event.target.value, type);
        onChange(list.length === 0 ? undefined : list);
      }}
      onBlur={() => setTyped(null)}
    />
  );
}

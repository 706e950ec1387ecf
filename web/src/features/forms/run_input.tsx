/** The input of a run: as a form where the workflow declares one, always as JSON too. Both edit one value. */
import { useState } from "react";

import type { Json, JsonObject } from "../../graph/document";
import { checkInput, inputFields, type InputProblem } from "../../graph/inputs";
import { t } from "../../text";
import { CodeField } from "../../ui/code";
import { Segmented } from "../../ui/controls";
import { InputForm } from "./input_form";

export type RunInput = { text: string; value: { value: Json } | null; problems: InputProblem[] }; // value null: the text is no JSON

export function readInput(text: string, schema: JsonObject | undefined): RunInput {
  try {
    const value = text.trim() === "" ? {} : (JSON.parse(text) as Json);
    return { text, value: { value }, problems: checkInput(schema, value) };
  } catch {
    return { text, value: null, problems: [] };
  }
}

type Props = { schema: JsonObject | undefined; input: RunInput; shown: boolean; onChange: (text: string) => void };

/** `shown`: what is missing is told only after the person has tried to run, or left the field. */
export function RunInputField({ schema, input, shown, onChange }: Props) {
  const value = input.value?.value;
  const members = value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  const hasForm = inputFields(schema).length > 0;
  const [asJson, setAsJson] = useState(false);
  const json = asJson || !hasForm || members === null;
  const told = shown ? input.problems : input.problems.filter(({ problem }) => problem !== "missing");
  return (
    <div className="grid gap-3.5">
      {hasForm && (
        <Segmented
          label={t.run.inputAs}
          value={json ? "json" : "fields"}
          onChange={(next) => setAsJson(next === "json")}
          options={[
            { value: "fields", text: t.run.fields, disabled: members === null },
            { value: "json", text: t.run.json },
          ]}
        />
      )}
      {json ? (
        <div className="field">
          <div className="field-head">
            <span className="label">{t.run.input}</span>
          </div>
          <CodeField value={input.text} onChange={onChange} label={t.run.input} language="json" />
          {input.value === null && <p className="help bad">{t.panel.invalidJson}</p>}
          {told.map(({ pointer, problem, detail }) => (
            <p key={pointer} className="help bad">
              <code>{pointer || "/"}</code> {t.run.wrong[problem](detail)}
            </p>
          ))}
          {!schema && <p className="help">{t.run.noInput}</p>}
        </div>
      ) : (
        <InputForm schema={schema!} value={members} problems={told} onChange={(next) => onChange(JSON.stringify(next, null, 2))} />
      )}
    </div>
  );
}

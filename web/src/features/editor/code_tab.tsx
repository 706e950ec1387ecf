/** The whole document as YAML, both ways: comments stay while the text is open, and every valid change is an edit like any other. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { isMap, parseDocument, stringify } from "yaml";

import type { WorkflowDocument } from "../../graph/document";
import { replaceDocument } from "../../graph/edits";
import { t } from "../../text";
import { CodeField } from "../../ui/code";
import { useEditor, useEditorState } from "./store";

/** The document as text. `ui` comes last: it is the canvas's own. */
export function toYaml(document: WorkflowDocument): string {
  const { ui, ...rest } = document;
  return stringify(ui === undefined ? rest : { ...rest, ui }, { lineWidth: 120, aliasDuplicateObjects: false });
}

export type Parsed = { document: WorkflowDocument; problems: [] } | { document: null; problems: { line: number; message: string }[] };

export function fromYaml(text: string): Parsed {
  const parsed = parseDocument(text, { prettyErrors: true });
  if (parsed.errors.length > 0) return { document: null, problems: parsed.errors.map((error) => ({ line: error.linePos?.[0].line ?? 1, message: error.message.split("\n")[0]! })) };
  if (!isMap(parsed.contents)) return { document: null, problems: [{ line: 1, message: "A workflow is a map with a name and steps." }] };
  const value = parsed.toJS({ maxAliasCount: 100 }) as Record<string, unknown>;
  const steps = value.steps;
  const fine = Array.isArray(steps) && steps.every((step) => typeof step === "object" && step !== null && typeof (step as { id?: unknown }).id === "string");
  if (typeof value.name !== "string" || !fine) return { document: null, problems: [{ line: 1, message: "name must be a text, and steps a list of steps with an id." }] };
  return { document: value as WorkflowDocument, problems: [] };
}

export function CodeTab({ readOnly }: { readOnly: boolean }) {
  const editor = useEditor();
  const document = useEditorState((state) => state.history.document);
  const issues = useEditorState((state) => state.problems);
  const [text, setText] = useState(() => toYaml(document));
  const [problems, setProblems] = useState<{ line: number; message: string }[]>([]);
  const applied = useRef(document);
  useEffect(() => {
    if (applied.current === document) return; // our own edit
    applied.current = document;
    setText(toYaml(document));
    setProblems([]);
  }, [document]);
  const change = useCallback(
    (next: string) => {
      setText(next);
      const parsed = fromYaml(next);
      setProblems(parsed.problems);
      if (parsed.document === null) return;
      editor.edit(t.labels.code, replaceDocument(parsed.document), "code");
      applied.current = editor.getState().history.document;
    },
    [editor],
  );
  const marked = useMemo(() => (problems.length > 0 ? problems : issues.flatMap((issue) => (issue.step ? [{ line: lineOfStep(text, issue.step), message: issue.message }] : []))), [problems, issues, text]);
  return (
    <div className="code-tab">
      <p>{t.editor.codeHelp}</p>
      <CodeField className="code-area" value={text} onChange={change} label={t.editor.code} language="yaml" readOnly={readOnly} problems={marked} />
      {problems[0] && (
        <p className="help bad" role="alert">
          {t.editor.codeInvalid}
          {problems[0].line}: {problems[0].message}
        </p>
      )}
    </div>
  );
}

function lineOfStep(text: string, id: string): number {
  const index = text.split("\n").findIndex((line) => new RegExp(`^\\s*-?\\s*id:\\s*["']?${id}["']?\\s*$`).test(line));
  return index < 0 ? 1 : index + 1;
}

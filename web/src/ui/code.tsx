import { useEffect, useImperativeHandle, useRef, type Ref } from "react";

import type { Scope } from "../graph/completion";
import type { CodeHandle, Language } from "./code_mirror";

type Props = {
  value: string;
  onChange: (text: string) => void;
  label: string;
  language: Language;
  hint?: string;
  singleLine?: boolean;
  readOnly?: boolean;
  autoFocus?: boolean;
  scope?: () => Scope;
  onBlur?: () => void;
  onFocus?: () => void;
  problems?: readonly { line: number; message: string }[];
  className?: string;
  ref?: Ref<CodeFieldHandle>;
};

export type CodeFieldHandle = { insert: (text: string) => void; focus: () => void };

/** A code field. Until its chunk is there the text stands in a plain area, so that nothing is lost or jumps. */
export function CodeField(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const code = useRef<CodeHandle | null>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    let gone = false;
    void import("./code_mirror").then(({ createCode }) => {
      if (gone || !host.current) return;
      const { value, language, label, hint, singleLine, readOnly, scope, autoFocus } = latest.current;
      code.current = createCode({
        parent: host.current,
        text: value,
        language,
        label,
        ...(hint ? { hint } : {}),
        ...(singleLine ? { singleLine } : {}),
        ...(readOnly ? { readOnly } : {}),
        ...(scope ? { scope: () => latest.current.scope!() } : {}),
        onChange: (text) => latest.current.onChange(text),
        onBlur: () => latest.current.onBlur?.(),
      });
      if (latest.current.problems) code.current.diagnose(latest.current.problems);
      if (autoFocus) code.current.focus();
    });
    return () => {
      gone = true;
      code.current?.destroy();
      code.current = null;
    };
  }, [props.language, props.readOnly]);
  useEffect(() => code.current?.setText(props.value), [props.value]);
  useEffect(() => {
    if (props.problems) code.current?.diagnose(props.problems);
  }, [props.problems]);
  useImperativeHandle(props.ref, () => ({ insert: (text) => code.current?.insert(text), focus: () => code.current?.focus() }));
  return <div ref={host} className={props.className ?? "input code-input"} data-code={props.language} data-label={props.label} onFocus={props.onFocus} />;
}

import { useState } from "react";

import type { Json } from "../../graph/document";
import { t } from "../../text";
import { CodeField } from "../../ui/code";

/** Any JSON as text; what is no JSON yet stays here and is not written to the document. */
export function JsonField({ label, value, onChange }: { label: string; value: Json | undefined; onChange: (value: Json | undefined) => void }) {
  const given = value === undefined ? "" : JSON.stringify(value, null, 2);
  const [text, setText] = useState<string | null>(null);
  const [bad, setBad] = useState(false);
  return (
    <>
      <CodeField
        value={text ?? given}
        label={label}
        language="json"
        onChange={(next) => {
          setText(next);
          try {
            onChange(next.trim() === "" ? undefined : (JSON.parse(next) as Json));
            setBad(false);
          } catch {
            setBad(true);
          }
        }}
        onBlur={() => {
          if (!bad) setText(null);
        }}
      />
      {bad && (
        <p className="help bad" role="alert">
          {t.panel.invalidJson}
        </p>
      )}
    </>
  );
}

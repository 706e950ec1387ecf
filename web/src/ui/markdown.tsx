/** Markdown of notes and descriptions; the parser and the sanitizer are loaded when the first one is shown. */
import { useEffect, useState } from "react";

let render: ((text: string) => string) | null = null;

async function load(): Promise<(text: string) => string> {
  if (render) return render;
  const [{ marked }, { default: purify }] = await Promise.all([import("marked"), import("dompurify")]);
  render = (text) => purify.sanitize(marked.parse(text, { async: false }), { USE_PROFILES: { html: true }, FORBID_ATTR: ["style"], FORBID_TAGS: ["img", "style", "form", "input"] });
  return render;
}

export function Markdown({ text }: { text: string }) {
  const [html, setHtml] = useState(() => render?.(text) ?? null);
  useEffect(() => {
    let current = true;
    void load().then((parse) => current && setHtml(parse(text)));
    return () => {
      current = false;
    };
  }, [text]);
  // sanitized above; plain text until the parser is there
  return html === null ? <p>{text}</p> : <div dangerouslySetInnerHTML={{ __html: html }} />;
}

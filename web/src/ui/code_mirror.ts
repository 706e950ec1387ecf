/** The code editor, in one lazily loaded chunk: expressions in texts, JSON and YAML. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, MatchDecorator, placeholder, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { completePath, type Scope } from "../graph/completion";

export type Language = "template" | "json" | "yaml" | "javascript" | "python";
export type CodeOptions = {
  parent: HTMLElement;
  text: string;
  language: Language;
  label: string;
  hint?: string;
  singleLine?: boolean;
  readOnly?: boolean;
  scope?: () => Scope;
  onChange: (text: string) => void;
  onBlur?: () => void;
};
export type CodeHandle = { setText: (text: string) => void; insert: (text: string) => void; focus: () => void; destroy: () => void; diagnose: (problems: readonly { line: number; message: string }[]) => void };

const highlight = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.keyword, color: "var(--code-keyword)" },
  { tag: tags.comment, color: "var(--text-3)" },
]);

const expressions = new MatchDecorator({ regexp: /\{\{[\s\S]*?\}\}/g, decoration: Decoration.mark({ class: "cm-expression" }) });
const expressionMarks = ViewPlugin.fromClass(
  class {
    marks: DecorationSet;
    constructor(view: EditorView) {
      this.marks = expressions.createDeco(view);
    }
    update(update: ViewUpdate): void {
      this.marks = expressions.updateDeco(update, this.marks);
    }
  },
  { decorations: (plugin) => plugin.marks },
);

const look = EditorView.theme({
  "&": { fontSize: "var(--text-xs)", backgroundColor: "transparent", color: "var(--text)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "20px" },
  ".cm-content": { padding: "4px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 8px" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--surface-selected)" },
  ".cm-expression": { backgroundColor: "var(--expr-bg)", color: "var(--expr-text)", borderRadius: "4px", boxShadow: "0 0 0 1px var(--expr-line)" },
  ".cm-gutters": { backgroundColor: "var(--surface-sunken)", color: "var(--text-3)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--surface-hover)" },
  ".cm-placeholder": { color: "var(--text-3)" },
  ".cm-tooltip": { border: "1px solid var(--border)", borderRadius: "8px", backgroundColor: "var(--surface-raised)", color: "var(--text)", boxShadow: "var(--shadow-2)", overflow: "hidden" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-mono)", maxHeight: "240px" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 8px", lineHeight: "20px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--surface-selected)", color: "var(--text)" },
  ".cm-completionDetail": { color: "var(--text-3)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--status-failed)" },
  ".cm-panels": { backgroundColor: "var(--surface-sunken)", color: "var(--text)" },
});

const growing = EditorView.theme({ "&": { minHeight: "28px" }, ".cm-scroller": { overflow: "auto", maxHeight: "320px" } });
const filling = EditorView.theme({ "&": { height: "100%" }, ".cm-scroller": { overflow: "auto" } });

function complete(scope: () => Scope) {
  return (context: CompletionContext): CompletionResult | null => {
    const found = completePath(context.state.sliceDoc(0, context.pos), scope());
    if (!found || (found.prefix === "" && !context.explicit && !/[.{\s([]$/.test(context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos)))) return null;
    const options = found.options.map((option): Completion => ({ label: option.label, detail: option.detail, apply: option.apply ?? option.label, type: "property" }));
    return options.length > 0 ? { from: context.pos - found.prefix.length, options, validFor: /^[\w$]*$/ } : null;
  };
}

/** The grammars of whole files come when one is opened: a field with an expression in it needs none. */
function loadGrammar(language: Language): Promise<Extension> | undefined {
  if (language === "javascript") return import("@codemirror/lang-javascript").then(({ javascript }) => javascript());
  if (language === "python") return import("@codemirror/lang-python").then(({ python }) => python());
  if (language === "yaml") return import("@codemirror/lang-yaml").then(({ yaml }) => yaml());
  return undefined;
}

export function createCode(options: CodeOptions): CodeHandle {
  const { parent, text, language, label, hint, singleLine, readOnly, scope, onChange, onBlur } = options;
  let quiet = false;
  const extensions: Extension[] = [
    history(),
    drawSelection(),
    bracketMatching(),
    closeBrackets(),
    syntaxHighlighting(highlight),
    look,
    language === "yaml" ? filling : growing,
    ...(language === "javascript" || language === "python" ? [] : [expressionMarks]),
    EditorView.contentAttributes.of({ "aria-label": label, ...(singleLine ? {} : { "aria-multiline": "true" }) }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !quiet) onChange(update.state.doc.toString());
      if (update.focusChanged && !update.view.hasFocus) onBlur?.();
    }),
    // The editor owns undo while it has the focus: with nothing left to undo, nothing else is undone.
    keymap.of([
      { key: "Mod-z", run: () => true, preventDefault: true },
      { key: "Mod-Shift-z", run: () => true, preventDefault: true },
      { key: "Mod-y", run: () => true, preventDefault: true },
    ]),
  ];
  const keys = [...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...searchKeymap, ...defaultKeymap];
  extensions.splice(0, 0, keymap.of([{ key: "Mod-Space", run: startCompletion }, ...keys]));
  if (singleLine) extensions.push(EditorState.transactionFilter.of((transaction) => (transaction.newDoc.lines > 1 ? [] : [transaction])));
  if (!singleLine) extensions.push(EditorView.lineWrapping);
  if (hint) extensions.push(placeholder(hint));
  if (readOnly) extensions.push(EditorState.readOnly.of(true), EditorView.editable.of(false));
  if (scope) extensions.push(autocompletion({ override: [complete(scope)], icons: false, activateOnTyping: true }));
  if (language === "javascript") extensions.push(lineNumbers(), indentOnInput());
  if (language === "python") extensions.push(indentUnit.of("    "), lineNumbers(), indentOnInput());
  if (language === "json") extensions.push(json(), lintGutter());
  if (language === "yaml") extensions.push(lineNumbers(), foldGutter(), indentOnInput(), highlightActiveLine(), highlightSelectionMatches(), lintGutter());
  const grammar = new Compartment();
  extensions.push(grammar.of([]));
  // In a shadow root the editor's own styles are constructed sheets, which a strict content security policy allows.
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open", delegatesFocus: true });
  root.replaceChildren();
  const view = new EditorView({ root, parent: root as unknown as HTMLElement, state: EditorState.create({ doc: text, extensions }) });
  let destroyed = false;
  void loadGrammar(language)?.then((extension) => {
    if (!destroyed) view.dispatch({ effects: grammar.reconfigure(extension) });
  });
  return {
    setText: (next) => {
      const now = view.state.doc.toString();
      if (next === now) return;
      quiet = true;
      view.dispatch({ changes: smallestChange(now, next) });
      quiet = false;
    },
    insert: (added) => {
      const { from, to } = view.state.selection.main;
      view.dispatch({ changes: { from, to, insert: added }, selection: { anchor: from + added.length } });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => {
      destroyed = true;
      view.destroy();
    },
    diagnose: (problems) => {
      const found = problems.map((problem): Diagnostic => {
        const line = view.state.doc.line(Math.max(1, Math.min(problem.line, view.state.doc.lines)));
        return { from: line.from, to: line.to, severity: "error", message: problem.message };
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
  };
}

/** The one change that turns one text into the other, so that cursor and folds stay where nothing changed. */
function smallestChange(before: string, after: string): { from: number; to: number; insert: string } {
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && before[start] === after[start]) ++start;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) ++end;
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}

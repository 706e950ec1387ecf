/** Completion of paths in expressions, from real data: what is in scope, and what each name holds. */
import type { Json } from "./document";

/** Names in scope and their values; `undefined` for a name whose value nobody has seen yet. */
export type Scope = { [name: string]: Json | undefined };
export type Option = { label: string; detail: string; apply?: string };

/** Text after the last `{{` that is not closed before the cursor; null outside of expressions. */
export function openExpression(before: string): string | null {
  const start = before.lastIndexOf("{{");
  if (start < 0 || before.indexOf("}}", start) >= 0) return null;
  return before.slice(start + 2);
}

/** What may follow the path that ends at the cursor: `steps.crm.output.da` offers `data`. */
export function completePath(before: string, scope: Scope): { prefix: string; options: Option[] } | null {
  const inside = openExpression(before);
  if (inside === null) return null;
  const match = /((?:[A-Za-z_$][\w$]*)(?:\s*\??\.\s*[A-Za-z_$][\w$]*|\[(?:\d+|"[^"]*"|'[^']*')\])*)?(\s*\??\.\s*)?([A-Za-z_$][\w$]*)?$/.exec(inside)!;
  let path = match[1] ?? "";
  const dot = match[2];
  let prefix = match[3] ?? "";
  if (dot === undefined && path !== "") {
    const parts = splitPath(path);
    prefix = path.endsWith("]") ? "" : String(parts.pop());
    path = joinParts(parts);
  }
  if (/["'\d]$/.test(inside.slice(0, inside.length - prefix.length).trimEnd().slice(-1)) && path === "" && dot === undefined) return null;
  const value = path === "" ? (scope as Json) : lookUp(scope, splitPath(path));
  if (value === undefined || value === null || typeof value !== "object") return { prefix, options: [] };
  if (Array.isArray(value)) {
    const methods = ["length", "map", "filter", "find", "slice", "join", "includes"];
    return { prefix, options: methods.map((label) => ({ label, detail: label === "length" ? "number" : "list" })) };
  }
  const options = Object.entries(value as { [name: string]: Json }).map(([name, inner]): Option => {
    const plain = /^[A-Za-z_$][\w$]*$/.test(name);
    return { label: name, detail: describe(inner), ...(plain ? {} : { apply: name }) };
  });
  return { prefix, options: options.filter((option) => /^[A-Za-z_$][\w$]*$/.test(option.label)) };
}

function splitPath(path: string): (string | number)[] {
  const parts: (string | number)[] = [];
  for (const match of path.matchAll(/([A-Za-z_$][\w$]*)|\[(\d+)\]|\["([^"]*)"\]|\['([^']*)'\]/g)) {
    if (match[2] !== undefined) parts.push(Number(match[2]));
    else parts.push((match[1] ?? match[3] ?? match[4])!);
  }
  return parts;
}

function joinParts(parts: readonly (string | number)[]): string {
  return parts.map((part, index) => (typeof part === "number" ? `[${part}]` : /^[A-Za-z_$][\w$]*$/.test(part) ? (index === 0 ? part : `.${part}`) : `["${part}"]`)).join("");
}

export function lookUp(scope: Scope, parts: readonly (string | number)[]): Json | undefined {
  let value: Json | undefined = scope as Json;
  for (const part of parts) {
    if (value === null || typeof value !== "object" || value === undefined) return undefined;
    value = Array.isArray(value) ? value[Number(part)] : (value as { [name: string]: Json })[String(part)];
  }
  return value;
}

/** A value in a few letters: its text or number, `3 items`, `{4}`. */
export function describe(value: Json | undefined): string {
  if (value === undefined) return "";
  if (value === null) return "null";
  if (Array.isArray(value)) return `[${value.length}]`;
  if (typeof value === "object") return `{${Object.keys(value).length}}`;
  const text = String(value);
  return text.length > 28 ? `${text.slice(0, 27)}…` : text;
}

/** The expression that reads a path: `steps.crm.output.data["odd name"][0]`. */
export function pathText(parts: readonly (string | number)[]): string {
  return joinParts(parts);
}

/** A sample of what a JSON Schema describes, to complete from when nothing has run yet. */
export function sampleOf(schema: Json | undefined, depth = 0): Json | undefined {
  if (schema === null || typeof schema !== "object" || Array.isArray(schema) || depth > 6) return undefined;
  const { properties, items, type, examples, default: preset } = schema as { [name: string]: Json };
  if (preset !== undefined) return preset;
  if (Array.isArray(examples) && examples.length > 0) return examples[0];
  if (properties && typeof properties === "object" && !Array.isArray(properties))
    return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, sampleOf(inner, depth + 1) ?? null]));
  if (type === "array") return [sampleOf(items, depth + 1) ?? null];
  return type === "object" ? {} : null;
}

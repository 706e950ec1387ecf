/** A JSON value as rows of a tree, only those that are open: a list of a million is as cheap to show as one of ten. */
import type { Json } from "../../graph/document";

export type Row = { path: (string | number)[]; key: string; depth: number; value: Json; open: boolean; branch: boolean; more?: number };

const chunk = 200; // members of one level shown at first

export function pathKey(path: readonly (string | number)[]): string {
  return JSON.stringify(path);
}

export function flatten(value: Json, open: ReadonlySet<string>, limits: ReadonlyMap<string, number> = new Map(), root: (string | number)[] = []): Row[] {
  const rows: Row[] = [];
  const visit = (inner: Json, path: (string | number)[], name: string, depth: number): void => {
    const branch = typeof inner === "object" && inner !== null && (Array.isArray(inner) ? inner.length > 0 : Object.keys(inner).length > 0);
    const key = pathKey(path);
    const isOpen = branch && open.has(key);
    rows.push({ path, key: name, depth, value: inner, open: isOpen, branch });
    if (isOpen) members(inner, path, depth + 1);
  };
  const members = (inner: Json, path: (string | number)[], depth: number): void => {
    const limit = limits.get(pathKey(path)) ?? chunk;
    if (Array.isArray(inner)) {
      for (let index = 0; index < Math.min(limit, inner.length); ++index) visit(inner[index]!, [...path, index], String(index), depth);
      if (inner.length > limit) rows.push({ path, key: "", depth, value: null, open: false, branch: false, more: inner.length - limit });
    } else if (inner !== null && typeof inner === "object") {
      const entries = Object.entries(inner);
      for (const [name, member] of entries.slice(0, limit)) visit(member, [...path, name], name, depth);
      if (entries.length > limit) rows.push({ path, key: "", depth, value: null, open: false, branch: false, more: entries.length - limit });
    }
  };
  if (typeof value === "object" && value !== null) members(value, root, 0);
  else rows.push({ path: root, key: "", depth: 0, value, open: false, branch: false });
  return rows;
}

/** Paths of what holds the text, in names or values, at most `limit`; and every branch on the way, to open. */
export function searchIn(value: Json, text: string, limit = 500): { hits: Set<string>; open: Set<string> } {
  const hits = new Set<string>();
  const open = new Set<string>();
  const wanted = text.toLowerCase();
  const stack: { value: Json; path: (string | number)[]; name: string }[] = [{ value, path: [], name: "" }];
  for (let visited = 0; stack.length > 0 && hits.size < limit && visited < 500_000; ++visited) {
    const { value: inner, path, name } = stack.pop()!;
    const own = typeof inner === "object" && inner !== null ? "" : String(inner);
    if (path.length > 0 && (name.toLowerCase().includes(wanted) || own.toLowerCase().includes(wanted))) {
      hits.add(pathKey(path));
      for (let length = 1; length < path.length; ++length) open.add(pathKey(path.slice(0, length)));
    }
    if (Array.isArray(inner)) for (let index = inner.length - 1; index >= 0; --index) stack.push({ value: inner[index]!, path: [...path, index], name: String(index) });
    else if (inner && typeof inner === "object") for (const [member, below] of Object.entries(inner).reverse()) stack.push({ value: below, path: [...path, member], name: member });
  }
  return { hits, open };
}

export type SchemaRow = { path: string; depth: number; name: string; types: string[]; share: number; example: Json | undefined };

/** What the first 200 members of lists are made of: names, types and in how many of them each is found. */
export function schemaOf(value: Json, sample = 200): SchemaRow[] {
  const rows: SchemaRow[] = [];
  const visit = (values: Json[], name: string, path: string, depth: number, of: number): void => {
    const types = [...new Set(values.map((inner) => (inner === null ? "null" : Array.isArray(inner) ? "array" : typeof inner)))];
    const example = values.find((inner) => inner !== null && typeof inner !== "object");
    if (path !== "") rows.push({ path, depth, name, types, share: of === 0 ? 1 : values.length / of, example });
    if (depth > 12 || rows.length > 2000) return;
    const lists = values.filter(Array.isArray);
    if (lists.length > 0) {
      const members = lists.flatMap((list) => list.slice(0, sample)).slice(0, sample);
      if (members.length > 0) visit(members, "[ ]", `${path}[]`, path === "" ? 0 : depth + 1, 0);
    }
    const objects = values.filter((inner): inner is { [name: string]: Json } => inner !== null && typeof inner === "object" && !Array.isArray(inner));
    const names = new Set(objects.flatMap((object) => Object.keys(object)));
    for (const member of names) {
      const found = objects.flatMap((object) => (member in object ? [object[member]!] : []));
      visit(found, member, path === "" ? member : `${path}.${member}`, path === "" ? 0 : depth + 1, objects.length);
    }
  };
  visit([value], "", "", 0, 0);
  return rows;
}

/** Columns and rows of a list of objects, or of a single object's members; null when a table says nothing. */
export function tableOf(value: Json): { columns: string[]; rows: Json[][] } | null {
  const list = Array.isArray(value) ? value : findList(value);
  if (!list || list.length === 0) return null;
  const objects = list.filter((item): item is { [name: string]: Json } => item !== null && typeof item === "object" && !Array.isArray(item));
  if (objects.length === 0) return { columns: ["value"], rows: list.map((item) => [item]) };
  const columns = new Set<string>();
  for (const object of objects.slice(0, 200)) for (const name of Object.keys(object)) if (columns.size < 50) columns.add(name);
  return { columns: [...columns], rows: list.map((item) => [...columns].map((name) => (item !== null && typeof item === "object" && !Array.isArray(item) ? (item[name] ?? null) : null))) };
}

function findList(value: Json): Json[] | null {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  for (const inner of Object.values(value)) if (Array.isArray(inner) && inner.some((item) => item !== null && typeof item === "object")) return inner;
  return null;
}

/** Results too large to come whole: what marks one, and a small sample of it, to complete and choose paths from. */
import { queryOptions } from "@tanstack/react-query";

import { keys, sliceQuery, queryClient } from "../../api/queries";
import type { Json } from "../../graph/document";

export type Truncated = { truncated: true; bytes: number; preview: string };

export function isTruncated(value: unknown): value is Truncated {
  return typeof value === "object" && value !== null && (value as Truncated).truncated === true && typeof (value as Truncated).bytes === "number" && typeof (value as Truncated).preview === "string";
}

export function pointerOf(path: string, name: string | number): string {
  return `${path}/${String(name).replace(/~/g, "~0").replace(/\//g, "~1")}`;
}

type Slice = (path: string, limit: number) => Promise<{ value?: unknown; type: string }>;
const [members, deepest, most] = [20, 3, 12]; // of each level, levels, requests

/** The value with its first members; what is too large inside is looked into as well, as far as it pays. */
export async function sampleLarge(slice: Slice): Promise<Json> {
  let left = most;
  const look = async (path: string, depth: number): Promise<Json> => {
    left -= 1;
    const value = ((await slice(path, members)).value ?? null) as Json;
    if (value === null || typeof value !== "object") return value;
    const inner = async (name: string | number, member: Json): Promise<Json> => (!isTruncated(member) ? member : depth < deepest && left > 0 ? look(pointerOf(path, name), depth + 1) : member.preview);
    if (Array.isArray(value)) return Promise.all(value.slice(0, members).map((member, index) => inner(index, member)));
    return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([name, member]): Promise<[string, Json]> => [name, await inner(name, member)])));
  };
  return look("", 0);
}

export function largeQuery(execution: string, task: string) {
  return queryOptions({
    queryKey: [...keys.execution(execution), "sample", task],
    queryFn: () => sampleLarge((path, limit) => queryClient.fetchQuery(sliceQuery(execution, task, path, 0, limit))),
    staleTime: Infinity,
  });
}

/** Errors that are the same but for numbers, ids, times and quoted names. */

const rules: [RegExp, string][] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "…"],
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z?/g, "…"],
  [/"[^"]*"|'[^']*'/g, "“…”"],
  [/\b[0-9a-f]{12,}\b/gi, "…"],
  [/\d+/g, "#"],
];

export function fingerprint(message: string): string {
  return rules.reduce((text, [pattern, instead]) => text.replace(pattern, instead), message).trim();
}

export type ErrorGroup<R> = { key: string; rows: R[] };

/** Rows with an error by what went wrong where, the most frequent first; those without one are left out. */
export function groupByError<R extends { error_message: string | null; workflow_name: string }>(rows: readonly R[]): ErrorGroup<R>[] {
  const groups = new Map<string, R[]>();
  for (const row of rows) {
    if (!row.error_message) continue;
    const key = `${row.workflow_name}\n${fingerprint(row.error_message)}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups].map(([key, found]) => ({ key, rows: found })).sort((a, b) => b.rows.length - a.rows.length);
}

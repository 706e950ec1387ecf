/** Which steps an expression reads, found in its text: `steps.crm.output` and `steps["crm"]`. */
import type { Json } from "./document";

const reference = /\bsteps\s*(?:\.\s*([a-z][a-z0-9_]*)|\[\s*["']([a-z][a-z0-9_]*)["']\s*\])/g;

export function stepsReadBy(value: Json | undefined, found = new Set<string>()): Set<string> {
  if (typeof value === "string") {
    if (value.includes("{{")) for (const match of value.matchAll(reference)) found.add((match[1] ?? match[2])!);
  } else if (Array.isArray(value)) {
    for (const inner of value) stepsReadBy(inner, found);
  } else if (value && typeof value === "object") {
    for (const inner of Object.values(value)) stepsReadBy(inner, found);
  }
  return found;
}

/** A new trigger at the head of the canvas, with what most people want of its kind. */
import type { JsonObject } from "../../graph/document";
import { addTrigger } from "../../graph/edits";
import { t } from "../../text";
import type { Editor } from "./store";
import { positionsFor } from "./use_view";

export const triggerKinds = ["webhook", "schedule", "event", "http_poll", "file_watch"] as const;
export type TriggerKind = (typeof triggerKinds)[number];

export function addTriggerOf(editor: Editor, type: TriggerKind): void {
  const document = editor.getState().history.document;
  const triggers = document.triggers ?? [];
  const taken = new Set(triggers.map((trigger) => trigger.id));
  let id: string = type;
  for (let number = 2; taken.has(id); ++number) id = `${type}_${number}`;
  const config = firstConfig(type, document.name);
  const heads = [...positionsFor(document)].filter(([name]) => name.startsWith("trigger:")).map(([, at]) => at);
  const at: [number, number] = heads.length > 0 ? [Math.min(...heads.map(([x]) => x)), Math.max(...heads.map(([, y]) => y)) + (triggers.length > 0 ? 64 : 0)] : [0, 0];
  editor.edit(t.labels.addTrigger, addTrigger({ id, trigger_type: type, trigger_config: config }, at));
  editor.select([`trigger:${id}`]);
}

function firstConfig(type: TriggerKind, workflow: string): JsonObject {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (type === "webhook") return { path: slug(workflow) };
  if (type === "schedule") return { cron: "0 6 * * *", ...(here === "UTC" ? {} : { timezone: here }) };
  if (type === "event") return { name: "execution.failed" };
  if (type === "http_poll") return { url: "https://", items: "{{ input.data }}" };
  return {};
}

function slug(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "hook";
}

/** A new trigger at the head of the canvas, with what most people want of its kind. */
import type { JsonObject } from "../../graph/document";
import { addTrigger } from "../../graph/edits";
import { t } from "../../text";
import type { Editor } from "./store";
import { positionsFor } from "./use_view";

export type TriggerKind = "webhook" | "schedule";

export function addTriggerOf(editor: Editor, type: TriggerKind): void {
  const document = editor.getState().history.document;
  const triggers = document.triggers ?? [];
  const taken = new Set(triggers.map((trigger) => trigger.id));
  let id: string = type;
  for (let number = 2; taken.has(id); ++number) id = `${type}_${number}`;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const config: JsonObject = type === "webhook" ? { path: slug(document.name) } : { cron: "0 6 * * *", ...(here === "UTC" ? {} : { timezone: here }) };
  const heads = [...positionsFor(document)].filter(([name]) => name.startsWith("trigger:")).map(([, at]) => at);
  const at: [number, number] = heads.length > 0 ? [Math.min(...heads.map(([x]) => x)), Math.max(...heads.map(([, y]) => y)) + (triggers.length > 0 ? 64 : 0)] : [0, 0];
  editor.edit(t.labels.addTrigger, addTrigger({ id, trigger_type: type, trigger_config: config }, at));
  editor.select([`trigger:${id}`]);
}

function slug(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "hook";
}

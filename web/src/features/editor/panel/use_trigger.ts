import type { Json, Trigger } from "../../../graph/document";
import { setTrigger, setTriggerConfig } from "../../../graph/edits";
import { t } from "../../../text";
import { useEditor } from "../store";

/** The config of a trigger, and the edits of it. */
export function useTrigger(trigger: Trigger) {
  const editor = useEditor();
  const config = trigger.trigger_config ?? {};
  return {
    config,
    text: (name: string): string => (typeof config[name] === "string" ? config[name] : ""),
    set: (name: string, value: Json | undefined): void => editor.edit(t.labels.editTrigger(trigger.id), setTriggerConfig(trigger.id, name, value), `${trigger.id}/${name}`),
    setOff: (off: boolean): void => editor.edit(t.labels.editTrigger(trigger.id), setTrigger(trigger.id, { enabled: off ? false : undefined })),
  };
}

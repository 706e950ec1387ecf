/** The one line a step says about itself: what it does, not what type it is (visual language, principle 2). */
import type { Json, Step, Trigger } from "./document";

/** An expression without its braces, shortened the way people speak of it: `steps.crm.output.score` is `crm score`. */
export function plainExpression(text: string): string {
  return text
    .replace(/\{\{\s*([\s\S]*?)\s*\}\}/g, "$1")
    .replace(/\bsteps\.([a-z0-9_]+)\.output(?:\.data)?\b\.?/g, "$1 ")
    .replace(/\s+/g, " ")
    .trim();
}

function text(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return plainExpression(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function seconds(value: Json | undefined): string {
  if (typeof value !== "number") return text(value);
  if (value >= 86_400 && value % 86_400 === 0) return `${value / 86_400} d`;
  if (value >= 3600 && value % 3600 === 0) return `${value / 3600} h`;
  if (value >= 60 && value % 60 === 0) return `${value / 60} min`;
  return `${value} s`;
}

/** The part of a URL that differs between steps: its path. */
function shortUrl(value: Json | undefined): string {
  return text(value).replace(/^https?:\/\/[^/]+(?=\/.)/, "").replace(/^vars\.[a-z0-9_]+(?=\/)/, "");
}

export function tell(step: Step): string {
  const config = step.config ?? {};
  if (step.for_each !== undefined) return typeof step.for_each === "string" ? `each of ${plainExpression(step.for_each)}` : "each of a list";
  switch (step.step_type) {
    case "http_request":
      return `${text(config.method) || "GET"} ${shortUrl(config.url)}`;
    case "send_email":
      return `to ${text(config.to)}`;
    case "conditional":
      return text(config.condition);
    case "switch":
      return `by ${text(config.value) || "conditions"}`;
    case "set":
      return config.values && typeof config.values === "object" ? Object.keys(config.values).join(", ") : text(config.values);
    case "filter":
      return `where ${text(config.where)}`;
    case "map":
      return text(config.value);
    case "sort":
      return `by ${text(config.by) || "itself"}`;
    case "limit":
      return `first ${text(config.count)}`;
    case "delay":
      return config.until === undefined ? seconds(config.seconds) : `until ${text(config.until)}`;
    case "wait_signal":
      return `signal ${text(config.name)}`;
    case "publish":
    case "wait_event":
      return text(config.key) ? `${text(config.name)} of ${text(config.key)}` : text(config.name);
    case "approval":
      return text(config.title);
    case "workflow":
      return text(config.workflow);
    case "respond":
      return `status ${text(config.status) || "200"}`;
    case "fail":
    case "log":
      return text(config.message);
    case "sql_query":
      return text(config.query).replace(/\s+/g, " ");
    case "file_read":
    case "file_write":
    case "file_list":
    case "file_move":
    case "file_delete":
      return text(config.path);
    default:
      return step.step_type;
  }
}

export function tellTrigger(trigger: Trigger): string {
  const config = trigger.trigger_config ?? {};
  if (trigger.trigger_type === "webhook") return `/${text(config.path)}`;
  if (trigger.trigger_type === "schedule") return text(config.cron ?? config.every);
  if (trigger.trigger_type === "event") return text(config.name);
  if (trigger.trigger_type === "http_poll") return text(config.url);
  if (trigger.trigger_type === "file_watch") return `${text(config.path) || "."}${config.pattern ? ` ${text(config.pattern)}` : ""}`;
  return trigger.trigger_type;
}

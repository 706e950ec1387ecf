/** How a field of a task type's JSON Schema is edited. */
import type { Json, JsonObject } from "../../../graph/document";

export type Widget = "text" | "long" | "number" | "switch" | "choice" | "map" | "json" | "code" | "expression";
export type FieldSpec = { name: string; title: string; help: string; required: boolean; widget: Widget; choices: string[]; preset: Json | undefined; language?: "javascript" | "python"; example?: string; minimum?: number; maximum?: number };

const longTexts = new Set(["text", "html", "message", "query", "content", "body", "description"]);
const mapsOf = new Set(["headers", "query", "json", "form", "values", "input", "params", "multipart"]);

export function fieldsOf(schema: JsonObject): FieldSpec[] {
  const properties = (schema.properties ?? {}) as { [name: string]: JsonObject };
  const required = new Set((schema.required as string[] | undefined) ?? []);
  const fields = Object.entries(properties).map(([name, property]): FieldSpec => {
    const title = typeof property.title === "string" ? property.title : titleOf(name);
    return {
      name,
      title,
      help: typeof property.description === "string" ? property.description.replaceAll("`", "") : "",
      required: required.has(name),
      widget: widgetOf(name, property),
      choices: Array.isArray(property.enum) ? property.enum.map(String) : [],
      preset: property.default,
      ...(isCode(property) ? { language: property.format, example: exampleOf(property) } : {}),
      ...(typeof property.minimum === "number" ? { minimum: property.minimum } : {}),
      ...(typeof property.maximum === "number" ? { maximum: property.maximum } : {}),
    };
  });
  return fields.sort((a, b) => Number(b.required) - Number(a.required));
}

function titleOf(name: string): string {
  const words = name.replace(/_/g, " ").replace(/\b(url|html|json|id|smtp|cc|bcc)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function isCode(property: JsonObject): property is JsonObject & { format: "javascript" | "python" } {
  return property.format === "javascript" || property.format === "python";
}

function exampleOf(property: JsonObject): string {
  const examples = property.examples;
  return Array.isArray(examples) && typeof examples[0] === "string" ? examples[0] : "";
}

function widgetOf(name: string, property: JsonObject): Widget {
  const type = property.type;
  const types = Array.isArray(type) ? type.map(String) : type === undefined ? [] : [String(type)];
  if (isCode(property)) return "code";
  if (Array.isArray(property.enum)) return "choice";
  if (types.length === 1 && types[0] === "boolean") return "switch";
  if (types.length === 1 && (types[0] === "integer" || types[0] === "number")) return "number";
  if (types.includes("object") || (types.length === 0 && mapsOf.has(name))) return "map";
  if (types.length === 1 && types[0] === "array") return property.items && (property.items as JsonObject).type === "object" ? "json" : "expression";
  if (types.includes("string")) return longTexts.has(name) ? "long" : "text";
  return "expression";
}

/** The input a workflow declares (a JSON Schema) as fields of a form, and what is wrong with a value for it, in words. The server decides; this only says it sooner. */
import type { Json, JsonObject } from "./document";

export type InputKind = "text" | "long" | "number" | "switch" | "choice" | "lines" | "group" | "json";
export type InputField = { name: string; title: string; help: string; required: boolean; kind: InputKind; type: string; choices: Json[]; preset: Json | undefined; schema: JsonObject };
export type InputProblem = { pointer: string; problem: "missing" | "type" | "choice" | "least" | "most" | "short" | "long" | "pattern"; detail: string };

function asObject(value: Json | undefined): JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
}

/** The one type a schema asks for, null beside it left out; "" when it leaves more open. */
function typeOf(schema: JsonObject): string {
  const { type } = schema;
  if (typeof type === "string") return type;
  const given = Array.isArray(type) ? type.filter((name) => name !== "null") : [];
  return given.length === 1 ? String(given[0]) : "";
}

/** Fields of an object schema, in the order it names them. Empty when the schema describes no members: then only JSON will do. */
export function inputFields(schema: JsonObject | undefined): InputField[] {
  const required = new Set(Array.isArray(schema?.required) ? schema.required.map(String) : []);
  return Object.entries(asObject(schema?.properties)).map(([name, inner]) => {
    const property = asObject(inner);
    return {
      name,
      title: typeof property.title === "string" ? property.title : name,
      help: typeof property.description === "string" ? property.description : "",
      required: required.has(name),
      kind: kindOf(property),
      type: typeOf(property),
      choices: Array.isArray(property.enum) ? property.enum : [],
      preset: property.default,
      schema: property,
    };
  });
}

function kindOf(schema: JsonObject): InputKind {
  if (Array.isArray(schema.enum) && schema.enum.every((choice) => choice === null || typeof choice !== "object")) return "choice";
  switch (typeOf(schema)) {
    case "string":
      return typeof schema.maxLength === "number" && schema.maxLength > 200 ? "long" : "text";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "switch";
    case "array":
      return ["string", "number", "integer"].includes(typeOf(asObject(schema.items))) ? "lines" : "json";
    case "object":
      return inputFields(schema).length > 0 ? "group" : "json";
    default:
      return "json";
  }
}

/** What a form starts with: the defaults, and the examples of what is required. */
export function startInput(schema: JsonObject | undefined): JsonObject {
  const value: JsonObject = {};
  for (const field of inputFields(schema)) {
    const example = Array.isArray(field.schema.examples) ? field.schema.examples[0] : undefined;
    if (field.preset !== undefined) value[field.name] = field.preset;
    else if (field.required && example !== undefined) value[field.name] = example;
    else if (field.kind === "group" && field.required) value[field.name] = startInput(field.schema);
  }
  return value;
}

/** What keeps a value from fitting, each with the JSON pointer of its place. */
export function checkInput(schema: JsonObject | undefined, value: Json, pointer = ""): InputProblem[] {
  if (!schema) return [];
  const wrong = (problem: InputProblem["problem"], detail: Json | undefined = ""): InputProblem[] => [{ pointer, problem, detail: String(detail) }];
  const types = (Array.isArray(schema.type) ? schema.type : schema.type === undefined ? [] : [schema.type]).map(String);
  if (types.length > 0 && !types.some((type) => isOf(type, value))) return wrong("type", types.join(", "));
  if (Array.isArray(schema.enum) && !schema.enum.some((choice) => JSON.stringify(choice) === JSON.stringify(value))) return wrong("choice", schema.enum.map(String).join(", "));
  if (typeof value === "number") {
    if (typeof schema.minimum === "number" && value < schema.minimum) return wrong("least", schema.minimum);
    if (typeof schema.maximum === "number" && value > schema.maximum) return wrong("most", schema.maximum);
  }
  if (typeof value === "string") {
    if (typeof schema.minLength === "number" && [...value].length < schema.minLength) return wrong("short", schema.minLength);
    if (typeof schema.maxLength === "number" && [...value].length > schema.maxLength) return wrong("long", schema.maxLength);
    if (typeof schema.pattern === "string" && !matches(schema.pattern, value)) return wrong("pattern", schema.pattern);
  }
  if (Array.isArray(value)) return value.flatMap((inner, index) => checkInput(asObject(schema.items), inner, `${pointer}/${index}`));
  if (value === null || typeof value !== "object") return [];
  const missing = (Array.isArray(schema.required) ? schema.required.map(String) : []).filter((name) => value[name] === undefined);
  return [
    ...missing.map((name): InputProblem => ({ pointer: `${pointer}/${name}`, problem: "missing", detail: "" })),
    ...Object.entries(asObject(schema.properties)).flatMap(([name, inner]) => (value[name] === undefined ? [] : checkInput(asObject(inner), value[name], `${pointer}/${name}`))),
  ];
}

function isOf(type: string, value: Json): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return value !== null && typeof value === "object" && !Array.isArray(value);
  if (type === "integer") return typeof value === "number" && Number.isInteger(value);
  return typeof value === type;
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true; // what only the server understands, it checks
  }
}

/** The lines of a text as the items of a list: numbers where the list holds numbers. What is no number stays text, to be told as wrong. */
export function linesToList(text: string, type: string): Json[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return type === "string" ? lines : lines.map((line) => (Number.isFinite(Number(line)) ? Number(line) : line));
}

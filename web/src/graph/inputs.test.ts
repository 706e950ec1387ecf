import { describe, expect, it } from "vitest";

import type { JsonObject } from "./document";
import { checkInput, inputFields, linesToList, startInput } from "./inputs";

const schema: JsonObject = {
  type: "object",
  required: ["email", "plan"],
  properties: {
    email: { type: "string", format: "email", title: "E-mail", minLength: 3, examples: ["ada@example.org"] },
    plan: { enum: ["free", "paid"], default: "free" },
    age: { type: "integer", minimum: 18, maximum: 99 },
    tags: { type: "array", items: { type: "string" } },
    address: { type: "object", required: ["city"], properties: { city: { type: "string", pattern: "^[A-Z]" } } },
    rest: { type: "object" },
    maybe: { type: ["string", "null"] },
  },
};

describe("the fields of an input", () => {
  it("are what the schema allows to be typed", () => {
    expect(inputFields(schema).map(({ name, kind }) => [name, kind])).toEqual([["email", "text"], ["plan", "choice"], ["age", "number"], ["tags", "lines"], ["address", "group"], ["rest", "json"], ["maybe", "text"]]);
    expect(inputFields(schema)[0]).toMatchObject({ title: "E-mail", required: true });
    expect(inputFields(undefined)).toEqual([]);
    expect(inputFields({ type: "object" })).toEqual([]);
  });

  it("start with defaults and the examples of what is required", () => {
    expect(startInput(schema)).toEqual({ email: "ada@example.org", plan: "free" });
    expect(startInput(undefined)).toEqual({});
  });
});

describe("what is wrong with an input", () => {
  const wrong = (value: JsonObject) => checkInput(schema, { email: "ada@example.org", plan: "free", ...value }).map(({ pointer, problem }) => `${pointer} ${problem}`);

  it("is told with its place", () => {
    expect(wrong({})).toEqual([]);
    expect(checkInput(schema, {}).map(({ pointer, problem }) => [pointer, problem])).toEqual([["/email", "missing"], ["/plan", "missing"]]);
    expect(wrong({ plan: "gold" })).toEqual(["/plan choice"]);
    expect(wrong({ age: 17 })).toEqual(["/age least"]);
    expect(wrong({ age: 100 })).toEqual(["/age most"]);
    expect(wrong({ age: 20.5 })).toEqual(["/age type"]);
    expect(wrong({ email: "" })).toEqual(["/email short"]);
    expect(wrong({ tags: ["a", 1] })).toEqual(["/tags/1 type"]);
    expect(wrong({ address: {} })).toEqual(["/address/city missing"]);
    expect(wrong({ address: { city: "berlin" } })).toEqual(["/address/city pattern"]);
    expect(wrong({ maybe: null })).toEqual([]);
    expect(checkInput(schema, [])).toMatchObject([{ pointer: "", problem: "type" }]);
  });

  it("is nothing where only the server could tell", () => {
    expect(checkInput({ type: "string", pattern: "(?<broken" }, "x")).toEqual([]);
    expect(checkInput(undefined, 7)).toEqual([]);
  });
});

it("reads lists line by line", () => {
  expect(linesToList("a\n\n b \n", "string")).toEqual(["a", " b "]);
  expect(linesToList("1\n2.5\nx", "number")).toEqual([1, 2.5, "x"]);
});

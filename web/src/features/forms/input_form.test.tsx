import { fireEvent, screen } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";

import type { JsonObject } from "../../graph/document";
import { show } from "../../test_kit";
import { readInput, RunInputField } from "./run_input";

vi.mock("../../ui/code", () => ({ CodeField: ({ value, onChange, label }: { value: string; onChange: (text: string) => void; label: string }) => <textarea aria-label={label} value={value} onChange={(event) => onChange(event.target.value)} /> }));

const schema: JsonObject = {
  type: "object",
  required: ["email"],
  properties: {
    email: { type: "string", format: "email", description: "Where to write" },
    plan: { enum: ["free", "paid"] },
    seats: { type: "integer", minimum: 1 },
    trial: { type: "boolean" },
    tags: { type: "array", items: { type: "string" } },
    address: { type: "object", properties: { city: { type: "string" } } },
  },
};

const latest = { text: "" };
function Page({ start = "{}", declared = true, shown = false }: { start?: string; declared?: boolean; shown?: boolean }) {
  const of = declared ? schema : undefined;
  const [text, setText] = useState(start);
  const change = (next: string): void => {
    latest.text = next;
    setText(next);
  };
  return <RunInputField schema={of} input={readInput(text, of)} shown={shown} onChange={change} />;
}
const value = () => JSON.parse(latest.text) as unknown;
const type = (label: string, text: string): void => void fireEvent.change(screen.getByLabelText(label), { target: { value: text } });

describe("the input of a run", () => {
  it("is typed into the fields its schema names", () => {
    show(<Page />);
    expect(screen.getByLabelText<HTMLInputElement>("email").type).toBe("email");
    type("email", "ada@example.org");
    type("plan", '"paid"');
    type("seats", "3");
    fireEvent.click(screen.getByLabelText("trial"));
    type("tags", "a\nb\n");
    type("city", "Paris");
    expect(value()).toEqual({ email: "ada@example.org", plan: "paid", seats: 3, trial: true, tags: ["a", "b"], address: { city: "Paris" } });
    type("seats", "");
    expect(value()).not.toHaveProperty("seats");
  });

  it("is one value, as a form and as JSON", () => {
    show(<Page start='{"email": "x@y", "other": 1}' />);
    fireEvent.click(screen.getByRole("radio", { name: "JSON" }));
    fireEvent.change(screen.getByLabelText("Input (JSON)"), { target: { value: '{"email": "z@y", "other": 1}' } });
    fireEvent.click(screen.getByRole("radio", { name: "Fields" }));
    expect(screen.getByLabelText<HTMLInputElement>("email").value).toBe("z@y");
    type("seats", "2");
    expect(value()).toEqual({ email: "z@y", other: 1, seats: 2 }); // what no field shows stays
  });

  it("can not be a form while it is no object", () => {
    show(<Page start="{" />);
    expect(screen.getByRole<HTMLButtonElement>("radio", { name: "Fields" }).disabled).toBe(true);
    expect(screen.getByText("This is no valid JSON.")).toBeTruthy();
  });

  it("says what is wrong at the field, what is missing only once one has tried", () => {
    const { unmount } = show(<Page start='{"seats": 0}' />);
    expect(screen.getByText("At least 1.")).toBeTruthy();
    expect(screen.queryByText("This is required.")).toBeNull();
    unmount();
    show(<Page shown />);
    expect(screen.getByText("This is required.")).toBeTruthy();
    expect(screen.getByLabelText("email").getAttribute("aria-invalid")).toBe("true");
  });

  it("is JSON where nothing is declared", () => {
    show(<Page declared={false} />);
    expect(screen.queryByRole("radio")).toBeNull();
    expect(screen.getByText(/declares no input/)).toBeTruthy();
  });
});

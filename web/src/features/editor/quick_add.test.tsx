import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { serve, show } from "../../test_kit";
import { QuickAdd } from "./quick_add";

const types = [["http_request", "HTTP request"], ["send_email", "Send e-mail"], ["conditional", "Condition"], ["delay", "Delay"]].map(([type, title]) => ({ type, title, description: "", icon: "", category: "x", ports: [], defaults: {} }));

describe("quick add", () => {
  const onChoose = vi.fn();
  const onClose = vi.fn();
  beforeEach(async () => {
    localStorage.clear();
    serve(() => ({ body: { results: [...types, { ...types[0], type: "orders.broken", title: "Broken", problem: { module: "orders", title: "SyntaxError", traceback: "line 3" } }] } }));
    show(<QuickAdd title="After First" x={0} y={0} onChoose={onChoose} onClose={onClose} />);
    await screen.findByRole("option", { name: /HTTP request/ });
  });
  afterEach(() => {
    vi.clearAllMocks();
    vi.unstubAllGlobals();
  });
  const field = () => screen.getByRole("combobox");
  const names = () => screen.getAllByRole("option").map((option) => option.querySelector(".clip")!.textContent);
  const press = (key: string): void => void fireEvent.keyDown(field(), { key });

  it("finds by what a step does, not by its name alone", () => {
    fireEvent.change(field(), { target: { value: "smtp" } });
    expect(names()).toEqual(["Send e-mail"]);
    fireEvent.change(field(), { target: { value: "slack" } });
    expect(names()[0]).toBe("HTTP request");
    fireEvent.change(field(), { target: { value: "qqqq" } });
    expect(screen.getByText("No step type fits.")).toBeTruthy();
  });

  it("is done with the keyboard: type, arrows, Enter", () => {
    press("ArrowDown");
    expect(screen.getAllByRole("option")[1]!.getAttribute("aria-selected")).toBe("true");
    expect(field().getAttribute("aria-activedescendant")).toBe("quick-1");
    press("Enter");
    expect(onChoose.mock.calls[0]![0].type).toBe("send_email");
    press("Escape");
    expect(onClose).toHaveBeenCalled();
  });

  it("puts what was used lately first the next time", async () => {
    fireEvent.change(field(), { target: { value: "delay" } });
    press("Enter");
    show(<QuickAdd title="Again" x={0} y={0} onChoose={onChoose} onClose={onClose} />);
    await waitFor(() => expect(screen.getAllByRole("listbox").at(-1)!.querySelector("[role=option] .clip")!.textContent).toBe("Delay"));
  });

  it("tells which module of functions can not be imported, and offers none of it", () => {
    expect(names()).not.toContain("Broken");
    expect(screen.getByText("orders.py can not be imported")).toBeTruthy();
    expect(screen.getByText("line 3")).toBeTruthy();
  });

  it("closes when one presses elsewhere", () => {
    fireEvent.pointerDown(document.body);
    expect(onClose).toHaveBeenCalled();
  });
});

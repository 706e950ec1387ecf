import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { handleKey, isTyping, keyName, register, showKeys, type Command } from "./shortcuts";

const press = (key: string, more: KeyboardEventInit & { on?: Element } = {}): KeyboardEvent => {
  const { on, ...init } = more;
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init });
  Object.defineProperty(event, "target", { value: on ?? document.body });
  return event;
};

describe("names of keys", () => {
  it("are those that are printed, in one order of modifiers", () => {
    expect(keyName(press("z", { ctrlKey: true, shiftKey: true }))).toBe("Mod+Shift+Z");
    expect(keyName(press("?", { shiftKey: true }))).toBe("?");
    expect(keyName(press("F8", { shiftKey: true }))).toBe("Shift+F8");
    expect(keyName(press(" "))).toBe("Space");
    expect(keyName(press("Shift"))).toBeNull();
  });

  it("go by position where no Latin letter is printed, and where Alt makes another letter", () => {
    expect(keyName(press("я", { code: "KeyZ", ctrlKey: true }))).toBe("Mod+Z");
    expect(keyName(press("ש", { code: "KeyA" }))).toBe("A");
    expect(keyName(press("å", { code: "KeyA", altKey: true }))).toBe("Alt+A");
    expect(keyName(press("a", { code: "KeyQ" }))).toBe("A"); // AZERTY: the letter that is printed
    expect(keyName(press("1", { code: "Digit1", altKey: true }))).toBe("Alt+1");
  });

  it("are shown as people read them", () => {
    expect(showKeys("Mod+Shift+S")).toBe("Ctrl Shift S");
    expect(showKeys("+")).not.toBe("");
  });
});

describe("what a key does", () => {
  let done: string[];
  let leave: () => void;
  const command = (id: string, keys: string[], scope: Command["scope"], more: Partial<Command> = {}): Command => ({ id, title: id, group: "g", keys, scope, run: () => void done.push(id), ...more });
  beforeEach(() => {
    done = [];
    document.body.innerHTML = '<div data-scope="canvas"><button id="step"></button></div><input id="field"><div id="code" data-code="json"></div><dialog></dialog>';
    leave = register([
      command("save", ["Mod+S"], "global"),
      command("disable", ["D"], "canvas"),
      command("undo", ["Mod+Z"], "canvas"),
      command("home", ["G H"], "global"),
      command("never", ["N"], "global", { enabled: () => false }),
    ]);
  });
  afterEach(() => {
    leave();
    vi.useRealTimers();
  });
  const at = (id: string): Element => document.getElementById(id)!;

  it("depends on where one is", () => {
    handleKey(press("d", { on: at("step") }));
    handleKey(press("d")); // the page itself counts as the canvas
    handleKey(press("d", { on: at("field") }));
    handleKey(press("d", { on: document.querySelector("dialog")! }));
    expect(done).toEqual(["disable", "disable"]);
  });

  it("leaves texts alone, undo included, but not what every page has", () => {
    for (const id of ["field", "code"]) handleKey(press("z", { ctrlKey: true, on: at(id) }));
    expect(done).toEqual([]);
    const event = press("s", { ctrlKey: true, on: at("field") });
    expect(handleKey(event)).toBe(true);
    expect([done, event.defaultPrevented]).toEqual([["save"], true]);
  });

  it("waits behind an open dialog", () => {
    document.querySelector("dialog")!.setAttribute("open", "");
    handleKey(press("d", { on: at("step") }));
    expect(done).toEqual([]);
  });

  it("may take two keys in a row, within a moment", () => {
    vi.useFakeTimers();
    handleKey(press("g"));
    handleKey(press("h"));
    expect(done).toEqual(["home"]);
    handleKey(press("g"));
    vi.advanceTimersByTime(2000);
    expect(handleKey(press("h"))).toBe(false);
    expect(done).toEqual(["home"]);
  });

  it("is nothing when the command is not enabled, or gone", () => {
    expect(handleKey(press("n"))).toBe(false);
    leave();
    expect(handleKey(press("s", { ctrlKey: true }))).toBe(false);
  });

  it("goes to what was registered last", () => {
    const again = register([command("other", ["D"], "canvas")]);
    handleKey(press("d", { on: at("step") }));
    again();
    handleKey(press("d", { on: at("step") }));
    expect(done).toEqual(["other", "disable"]);
  });
});

it("knows where text is typed", () => {
  document.body.innerHTML = '<input id="a"><input id="b" type="checkbox"><div data-code="json"><p id="c"></p></div><button id="d"></button>';
  expect(["a", "b", "c", "d"].map((id) => isTyping(document.getElementById(id)))).toEqual([true, false, true, false]);
});

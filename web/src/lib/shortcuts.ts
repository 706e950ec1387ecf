/** One registry of shortcuts feeds the key handler, tooltips, the `?` sheet and the palette. Letters match by the key they print, and by
 * position (`event.code`) on layouts that print no Latin letter there. */

export type Scope = "global" | "canvas" | "list";
export type Command = {
  id: string;
  title: string;
  group: string;
  keys?: string[]; // "Mod+Shift+S", "N", "G W" (a chord)
  scope: Scope;
  run: () => void;
  enabled?: () => boolean;
};

const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/** The name of a pressed key as shortcuts write it: `Mod+Shift+Z`. Null for a modifier alone. */
export function keyName(event: KeyboardEvent): string | null {
  if (["Control", "Shift", "Alt", "Meta", "AltGraph", "Dead"].includes(event.key)) return null;
  const latin = /^[\x20-\x7e]$/.test(event.key);
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  const digit = /^Digit([0-9])$/.exec(event.code)?.[1];
  let key = event.key;
  if (key.length === 1) {
    if (!latin || (event.altKey && letter)) key = letter ?? digit ?? key;
    if (/[a-z]/.test(key)) key = key.toUpperCase();
  }
  if (key === " ") key = "Space";
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const parts = [mod ? "Mod" : "", event.altKey ? "Alt" : "", event.shiftKey && (key.length > 1 || /[A-Z0-9]/.test(key)) ? "Shift" : "", key];
  return parts.filter(Boolean).join("+");
}

/** How a shortcut is shown: `Ctrl K`, on a Mac `⌘ K`. */
export function showKeys(keys: string): string {
  return keys.replaceAll("Mod", isMac ? "⌘" : "Ctrl").replaceAll("Space", "Space").replaceAll("+", " ").replace(/ {2}$/, " +");
}

/** Whether keys typed there belong to a text. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.closest("input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [role=textbox], [data-code]") !== null);
}

const registry = new Map<string, Command>();
const listeners = new Set<() => void>();
let snapshot: Command[] = [];
let chord: { key: string; until: number } | null = null;

/** Adds commands; returns what takes them away. A later command wins over an earlier one with the same keys. */
export function register(commands: readonly Command[]): () => void {
  for (const command of commands) registry.set(command.id, command);
  announce();
  return () => {
    for (const command of commands) if (registry.get(command.id) === command) registry.delete(command.id);
    announce();
  };
}

function announce(): void {
  snapshot = [...registry.values()];
  for (const listener of listeners) listener();
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function listCommands(): Command[] {
  return snapshot;
}

/** Runs what the key means here; true if something did. Single letters wait for a place that takes no text. */
export function handleKey(event: KeyboardEvent): boolean {
  const name = keyName(event);
  if (name === null || event.defaultPrevented || event.isComposing) return false;
  const typing = isTyping(event.target);
  const within = event.target instanceof Element ? event.target : document.body;
  const onCanvas = within.closest("[data-scope=canvas]") !== null || within === document.body;
  const wanted = chord && Date.now() < chord.until ? `${chord.key} ${name}` : name;
  chord = null;
  for (const command of [...snapshot].reverse()) {
    if (!command.keys?.includes(wanted)) continue;
    if (command.scope === "canvas" && !onCanvas) continue;
    if (typing && !/^(Mod|F\d)/.test(name) && !(name === "Alt+Enter")) continue;
    if (typing && command.scope !== "global") continue;
    if (document.querySelector("dialog[open]") && command.scope !== "global") continue;
    if (command.enabled && !command.enabled()) continue;
    event.preventDefault();
    command.run();
    return true;
  }
  if (!typing && snapshot.some((command) => command.keys?.some((keys) => keys.startsWith(`${name} `)))) {
    chord = { key: name, until: Date.now() + 1500 };
    return true;
  }
  return false;
}

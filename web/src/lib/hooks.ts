import { useEffect, useRef, useState, useSyncExternalStore } from "react";

import { handleKey, listCommands, register, subscribe, type Command } from "./shortcuts";

/** Registers commands while the component is there; their functions may change at every render without registering anew. */
export function useCommands(commands: readonly Command[]): void {
  const latest = useRef(commands);
  latest.current = commands;
  const shape = commands.map((command) => `${command.id}|${command.title}|${command.keys?.join()}`).join("\n");
  useEffect(() => {
    const find = (id: string): Command | undefined => latest.current.find((command) => command.id === id);
    return register(
      latest.current.map((command) => ({ ...command, run: () => find(command.id)?.run(), enabled: () => find(command.id)?.enabled?.() ?? true })),
    );
  }, [shape]);
}

export function useCommandList(): Command[] {
  return useSyncExternalStore(subscribe, listCommands);
}

export function useKeyHandler(): void {
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => void handleKey(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);
}

/** The value, once it has been still for `milliseconds`. */
export function useSettled<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

/** Now, renewed every `milliseconds` while `active`. */
export function useNow(active: boolean, milliseconds = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now());
    }, milliseconds);
    return () => clearInterval(timer);
  }, [active, milliseconds]);
  return now;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · FlowPilot`;
  }, [title]);
}

/** True once `milliseconds` have gone by: what is quick shows no skeleton. */
export function useAfter(milliseconds: number): boolean {
  const [after, setAfter] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setAfter(true), milliseconds);
    return () => clearTimeout(timer);
  }, [milliseconds]);
  return after;
}

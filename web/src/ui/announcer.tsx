/** What a screen reader says without the focus moving: start, end and failure of runs, candidates of a connection. */
import { useSyncExternalStore } from "react";

let text = "";
const listeners = new Set<() => void>();

export function announce(next: string): void {
  text = next === text ? `${next}\u00a0` : next;
  for (const listener of listeners) listener();
}

export function Announcer() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => text,
  );
  return (
    <div className="sr" role="status" aria-live="assertive">
      {shown}
    </div>
  );
}

/** Short notices of what has just been done, with at most one thing to do about it. Errors do not go here: they stand where they happened. */
import { X } from "lucide-react";
import { useSyncExternalStore } from "react";

import { t } from "../text";
import { Button } from "./controls";

type Toast = { id: number; text: string; action?: { text: string; run: () => void } };

const shownFor = 6000;
let toasts: Toast[] = [];
let count = 0;
const listeners = new Set<() => void>();

function set(next: Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function drop(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

export function toast(text: string, action?: { text: string; run: () => void }): void {
  const id = ++count;
  set([...toasts.slice(-2), { id, text, ...(action ? { action } : {}) }]);
  setTimeout(() => drop(id), shownFor);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, action }) => (
        <div key={id} className="toast">
          <span className="grow">{text}</span>
          {action && (
            <Button
              size="sm"
              onClick={() => {
                drop(id);
                action.run();
              }}
            >
              {action.text}
            </Button>
          )}
          <Button kind="quiet" size="sm" icon label={t.app.close} onClick={() => drop(id)}>
            <X className="icon xs" aria-hidden="true" />
          </Button>
        </div>
      ))}
    </div>
  );
}

/**
 * Tooltips, one for the whole page: what an element says of itself in `data-tip` (and `data-keys`), on hover after a moment and at once when the
 * keyboard comes to it. Esc puts it away. It stands in the top layer, above dialogs too.
 */
import { useEffect, useRef, useState } from "react";

import { showKeys } from "../lib/shortcuts";

type Tip = { text: string; keys: string | null; box: DOMRect };

const waits = 450; // milliseconds under a still pointer
const margin = 8;

export function Tooltips() {
  const [tip, setTip] = useState<Tip | null>(null);
  const bubble = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over: Element | null = null;
    const hide = (): void => {
      clearTimeout(timer);
      over = null;
      setTip(null);
    };
    const show = (element: HTMLElement): void => {
      if (element.isConnected) setTip({ text: element.dataset.tip!, keys: element.dataset.keys ?? null, box: element.getBoundingClientRect() });
    };
    const target = (event: Event): HTMLElement | null => (event.target instanceof Element ? event.target.closest<HTMLElement>("[data-tip]") : null);
    const enter = (event: PointerEvent): void => {
      const element = target(event);
      if (element === over) return;
      hide();
      over = element;
      if (element && event.pointerType !== "touch") timer = setTimeout(() => show(element), waits);
    };
    const focus = (event: FocusEvent): void => {
      const element = target(event);
      if (element?.matches(":focus-visible")) show(element);
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key === "Escape") hide();
    };
    const listeners: [string, (event: never) => void][] = [["pointerover", enter], ["focusin", focus], ["focusout", hide], ["pointerdown", hide], ["keydown", key], ["wheel", hide]];
    for (const [name, listener] of listeners) document.addEventListener(name, listener as EventListener, { capture: true, passive: true });
    return () => {
      hide();
      for (const [name, listener] of listeners) document.removeEventListener(name, listener as EventListener, { capture: true });
    };
  }, []);
  useEffect(() => {
    const element = bubble.current;
    if (!element || !tip) return;
    element.showPopover?.();
    const { width, height } = element.getBoundingClientRect();
    const below = tip.box.bottom + margin + height <= innerHeight;
    element.style.left = `${Math.max(margin, Math.min(tip.box.left + tip.box.width / 2 - width / 2, innerWidth - width - margin))}px`;
    element.style.top = `${below ? tip.box.bottom + margin : Math.max(margin, tip.box.top - margin - height)}px`;
    return () => element.hidePopover?.();
  }, [tip]);
  return tip ? (
    <div ref={bubble} className="tooltip" role="tooltip" popover="manual">
      {tip.text}
      {tip.keys && <kbd className="kbd">{showKeys(tip.keys)}</kbd>}
    </div>
  ) : null;
}

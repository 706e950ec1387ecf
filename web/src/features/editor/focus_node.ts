/** Moves the DOM focus to a step, so that what is chosen and what the keyboard acts on are the same. A step that comes into view only now is
 * mounted some frames later: the focus waits for it, and gives up when the person has gone elsewhere meanwhile. */
export function focusNode(id: string, frames = 30): void {
  const before = document.activeElement;
  const attempt = (left: number): void => {
    const element = document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
    if (element) element.focus({ preventScroll: true });
    else if (left > 0 && (document.activeElement === before || document.activeElement === document.body)) requestAnimationFrame(() => attempt(left - 1));
  };
  requestAnimationFrame(() => attempt(frames));
}

/** The expression field that last had the focus: where Insert puts a path. */
import type { CodeFieldHandle } from "../../../ui/code";

let current: CodeFieldHandle | null = null;

export function setFocusedField(field: CodeFieldHandle | null): void {
  current = field;
}

/** Inserts at the cursor of the field last used; false when there is none on screen. */
export function insertIntoField(expression: string): boolean {
  if (!current) return false;
  current.insert(`{{ ${expression} }}`);
  return true;
}

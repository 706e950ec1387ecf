/** Two people changed one draft: the differences field by field, each to be chosen; nothing is dropped by itself. */
import { useMemo, useState } from "react";

import { diffDocuments, type Change } from "../../graph/diff";
import { findStep, toDocument, type Json, type Step, type WorkflowDocument } from "../../graph/document";
import { replaceDocument } from "../../graph/edits";
import { t } from "../../text";
import { Button, Dialog } from "../../ui/controls";
import { showValue } from "./publish";
import type { Saver } from "./saver";
import { useEditor, useEditorState } from "./store";

type Difference = { key: string; what: string; path: string; mine: Json | undefined; theirs: Json | undefined; apply: (document: WorkflowDocument) => void };

/** What of `theirs` differs from `mine`, and how to take each over into mine. */
export function listDifferences(mine: WorkflowDocument, theirs: WorkflowDocument): Difference[] {
  const diff = diffDocuments(mine, theirs);
  const list: Difference[] = [];
  for (const id of diff.added) {
    const step = findStep(theirs, id)!;
    list.push({ key: `+${id}`, what: step.name ?? id, path: "", mine: undefined, theirs: step as unknown as Json, apply: (document) => document.steps.push(structuredClone(step)) });
  }
  for (const id of diff.removed) {
    const step = findStep(mine, id)!;
    list.push({ key: `-${id}`, what: step.name ?? id, path: "", mine: step as unknown as Json, theirs: undefined, apply: (document) => (document.steps = document.steps.filter((other) => other.id !== id)) });
  }
  for (const [id, changes] of diff.changed)
    for (const change of topLevel(changes))
      list.push({
        key: `${id}${change}`, what: findStep(mine, id)?.name ?? id, path: change.slice(1),
        mine: readField(findStep(mine, id)!, change), theirs: readField(findStep(theirs, id)!, change),
        apply: (document) => writeField(findStep(document, id)!, change, readField(findStep(theirs, id)!, change)),
      });
  for (const field of topLevel(diff.settings))
    list.push({ key: field, what: t.publish.settings, path: field.slice(1), mine: readField(mine, field), theirs: readField(theirs, field), apply: (document) => writeField(document, field, readField(theirs, field)) });
  return list;
}

/** Two levels are enough to choose from: `/config/url`, `/depends_on`, `/settings`. */
function topLevel(changes: readonly Change[]): Set<string> {
  return new Set(changes.map(({ path }) => path.split("/").slice(0, path.startsWith("/config/") ? 3 : 2).join("/")));
}

function readField(from: Step | WorkflowDocument, path: string): Json | undefined {
  return path.split("/").slice(1).reduce<Json | undefined>((value, name) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value[name] : undefined), from as unknown as Json);
}

function writeField(to: Step | WorkflowDocument, path: string, value: Json | undefined): void {
  const names = path.split("/").slice(1);
  const last = names.pop()!;
  let target = to as unknown as { [name: string]: Json };
  for (const name of names) target = (target[name] ??= {}) as { [name: string]: Json };
  if (value === undefined) delete target[last];
  else target[last] = structuredClone(value);
}

export function ConflictDialog({ saver }: { saver: Saver }) {
  const editor = useEditor();
  const conflict = useEditorState((state) => state.conflict);
  const mine = useEditorState((state) => state.history.document);
  const differences = useMemo(() => (conflict ? listDifferences(mine, conflict.theirs) : []), [conflict, mine]);
  const [theirs, setTheirs] = useState<ReadonlySet<string>>(new Set());
  if (!conflict) return null;
  const choose = (key: string, other: boolean): void => {
    const next = new Set(theirs);
    if (other) next.add(key);
    else next.delete(key);
    setTheirs(next);
  };
  const apply = (): void => {
    const next = structuredClone(mine);
    for (const difference of differences) if (theirs.has(difference.key)) difference.apply(next);
    editor.edit(t.labels.conflict, replaceDocument(next));
    const { workflow } = editor.getState();
    saver.rebase({ ...workflow, ...toDocument(workflow), revision: conflict.revision });
  };
  return (
    <Dialog
      title={t.conflict.title}
      description={t.conflict.text}
      open
      onClose={apply}
      wide
      footer={
        <>
          <Button onClick={() => setTheirs(new Set())}>{t.conflict.allMine}</Button>
          <Button onClick={() => setTheirs(new Set(differences.map(({ key }) => key)))}>{t.conflict.allTheirs}</Button>
          <span className="grow" />
          <Button kind="primary" size="lg" onClick={apply}>
            {t.conflict.apply}
          </Button>
        </>
      }
    >
      <ul className="conflict-list">
        {differences.map((difference) => (
          <li key={difference.key}>
            <span>
              <b>{difference.what}</b> <code>{difference.path.replaceAll("/", ".")}</code>
            </span>
            <label>
              <input className="radio" type="radio" name={difference.key} checked={!theirs.has(difference.key)} onChange={() => choose(difference.key, false)} />
              {t.conflict.mine} <code>{difference.mine === undefined ? t.conflict.gone : showValue(difference.mine)}</code>
            </label>
            <label>
              <input className="radio" type="radio" name={difference.key} checked={theirs.has(difference.key)} onChange={() => choose(difference.key, true)} />
              {t.conflict.theirs} <code>{difference.theirs === undefined ? t.conflict.gone : showValue(difference.theirs)}</code>
            </label>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

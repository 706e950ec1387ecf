/** The graph as a tree: every step with what it follows, for screen readers and for finding one's way by name. */
import { useMemo } from "react";

import { edgesInto, type WorkflowDocument } from "../../graph/document";
import { columnsOf } from "../../graph/layout";
import { t } from "../../text";
import { TypeTile } from "../../ui/icons";
import { useEditor, useEditorState } from "./store";

export function Outline({ onGo }: { onGo: (id: string) => void }) {
  const document = useEditorState((state) => state.history.document);
  const selection = useEditorState((state) => state.selection);
  const execution = useEditorState((state) => state.execution);
  const editor = useEditor();
  const rows = useMemo(() => outlineOf(document), [document]);
  const status = useMemo(() => new Map(execution?.tasks.map((task) => [task.step, task.status])), [execution]);
  return (
    <nav className="float outline-tree" aria-label={t.editor.outline}>
      <ul role="tree" aria-label={t.editor.outline}>
        {rows.map(({ id, name, type, depth, after }) => (
          <li key={id} role="treeitem" aria-level={depth + 1} aria-selected={selection.has(id)} style={{ "--d": Math.min(depth, 8) } as React.CSSProperties}>
            <button
              type="button"
              onClick={() => {
                editor.openStep(id);
                onGo(id);
              }}
            >
              <TypeTile type={type} small />
              <span className="clip">
                {name}
                <span className="sr">
                  {after ? `, ${t.node.upstream(after)}` : ""}
                  {status.get(id) ? `, ${t.status[status.get(id)!]}` : ""}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

export function outlineOf(document: WorkflowDocument): { id: string; name: string; type: string; depth: number; after: string }[] {
  const columns = columnsOf(document);
  const names = new Map(document.steps.map((step) => [step.id, step.name ?? step.id]));
  return [...document.steps]
    .sort((a, b) => columns.get(a.id)! - columns.get(b.id)!)
    .map((step) => ({
      id: step.id,
      name: step.name ?? step.id,
      type: step.step_type,
      depth: columns.get(step.id)!,
      after: edgesInto(step).map((edge) => `${names.get(edge.source) ?? edge.source}${edge.port ? ` (${edge.port})` : ""}`).join(", "),
    }));
}

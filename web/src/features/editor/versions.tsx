import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, idempotent, unwrap } from "../../api/client";
import { keys, queryClient, versionsQuery } from "../../api/queries";
import { diffOnce } from "../../graph/diff";
import { toDocument } from "../../graph/document";
import { replaceDocument } from "../../graph/edits";
import { formatAgo, formatFull } from "../../lib/format";
import { t } from "../../text";
import { Button, Dialog } from "../../ui/controls";
import { Empty, ErrorState, LoadingRows } from "../../ui/states";
import { toast } from "../../ui/toast";
import { loadPublished } from "./open";
import { CompareDialog } from "./publish";
import type { Saver } from "./saver";
import { useEditor, useEditorState } from "./store";

/** The version list of the dock: compare any two, make one live again, take one into the draft. */
export function Versions({ saver, readOnly }: { saver: Saver; readOnly: boolean }) {
  const editor = useEditor();
  const id = useEditorState((state) => state.id);
  const document = useEditorState((state) => state.history.document);
  const published = useEditorState((state) => state.published);
  const { data, error, isPending, refetch } = useQuery(versionsQuery(id));
  const [compare, setCompare] = useState<number | null>(null);
  const [discarding, setDiscarding] = useState(false);
  const changes = published ? diffOnce(published.document, document).count : 0;
  const rollback = useMutation({
    mutationFn: async (version: number) => {
      await saver.flush();
      const { revision } = editor.getState();
      return unwrap(api.POST("/api/workflows/{id}/rollback/", { params: { path: { id }, header: { ...idempotent(), "If-Match": `"${revision}"` } }, body: { version } }));
    },
    onSuccess: (workflow, version) => {
      editor.setState({ workflow, revision: workflow.revision });
      void loadPublished(editor);
      void queryClient.invalidateQueries({ queryKey: keys.versions(id) });
      void queryClient.invalidateQueries({ queryKey: [...keys.workflows, "list"] });
      toast(t.versions.rolledBack(version));
    },
  });
  const restore = useMutation({
    mutationFn: (number: number) => unwrap(api.GET("/api/workflows/{id}/versions/{number}/", { params: { path: { id, number } } })),
    onSuccess: (version) => editor.edit(t.labels.restore(version.version), replaceDocument(toDocument(version.document))),
  });
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (isPending) return <LoadingRows height={56} />;
  return (
    <div className="dock-scroll">
      {changes > 0 && !readOnly && (
        <div className="version-list">
          <li className="list-none">
            <span className="row">
              <b className="plan-word">{t.pill.draft(changes)}</b>
              <span className="grow" />
              <Button size="sm" onClick={() => setDiscarding(true)}>
                {t.versions.discard}
              </Button>
            </span>
          </li>
        </div>
      )}
      {rollback.error && <ErrorState error={rollback.error} />}
      {data.results.length === 0 && <Empty title={t.versions.none} />}
      <ul className="version-list" aria-label={t.versions.title}>
        {data.results.map((version) => (
          <li key={version.version}>
            <span className="row">
              <b>v{version.version}</b>
              {version.is_published && <span className="badge" data-s="completed">{t.versions.live}</span>}
              <span className="grow" />
              <span className="t3" title={formatFull(version.published_at)}>
                {formatAgo(version.published_at)} {t.versions.by(version.published_by)}
              </span>
            </span>
            {version.note && <p className="t2">{version.note}</p>}
            <span className="row">
              <Button size="sm" onClick={() => setCompare(version.version)}>
                {t.versions.compare}
              </Button>
              {!readOnly && !version.is_published && (
                <Button size="sm" disabled={rollback.isPending} onClick={() => rollback.mutate(version.version)}>
                  {t.versions.rollback}
                </Button>
              )}
              {!readOnly && (
                <Button size="sm" kind="quiet" onClick={() => restore.mutate(version.version)}>
                  {t.versions.restore}
                </Button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {compare !== null && <CompareDialog id={id} from={compare} to="draft" draft={document} onClose={() => setCompare(null)} />}
      <Dialog
        title={t.versions.discardTitle(changes)}
        open={discarding}
        onClose={() => setDiscarding(false)}
        footer={
          <>
            <Button onClick={() => setDiscarding(false)}>{t.app.cancel}</Button>
            <Button
              kind="danger"
              onClick={() => {
                if (published) editor.edit(t.labels.discard, replaceDocument({ ...published.document, ...(document.ui ? { ui: document.ui } : {}) }));
                setDiscarding(false);
              }}
            >
              {t.versions.discard}
            </Button>
          </>
        }
      >
        <p>{t.versions.discardText}</p>
      </Dialog>
    </div>
  );
}

/** Opens a workflow in the designer: the server's draft, with edits that this browser still holds laid over it. */
import { api, unwrap } from "../../api/client";
import { toDocument } from "../../graph/document";
import { dropRecord, findRecord, holdTabLock } from "./journal";
import { Saver } from "./saver";
import { createEditor, type Editor } from "./store";

export type Opened = { editor: Editor; saver: Saver };

export async function openWorkflow(id: string): Promise<Opened> {
  holdTabLock();
  const [workflow, record] = await Promise.all([unwrap(api.GET("/api/workflows/{id}/", { params: { path: { id } } })), findRecord(id).catch(() => null)]);
  const theirs = toDocument(workflow);
  let editor: Editor;
  if (record && !record.saved) {
    editor = createEditor(workflow, { document: record.document, past: record.past, future: record.future, saved: false });
    if (record.revision !== workflow.revision) editor.setState({ saveState: "conflict", conflict: { theirs, revision: workflow.revision } });
  } else if (record && record.revision === workflow.revision && JSON.stringify(record.document) === JSON.stringify(theirs)) {
    editor = createEditor(workflow, { document: record.document, past: record.past, future: record.future, saved: true });
  } else {
    editor = createEditor(workflow);
  }
  const saver = new Saver(editor);
  if (record && record.key !== `${id}/${sessionStorage.getItem("flowpilot.tab")}`) await saver.journaled().then(() => dropRecord(record.key));
  void loadPublished(editor);
  return { editor, saver };
}

/** Brings the published version's document, to mark on the canvas what the draft changes. */
export async function loadPublished(editor: Editor): Promise<void> {
  const { id, workflow } = editor.getState();
  const number = workflow.published_version;
  if (number === null) {
    editor.setState({ published: null });
    return;
  }
  const version = await unwrap(api.GET("/api/workflows/{id}/versions/{number}/", { params: { path: { id, number } } })).catch(() => null);
  if (version) editor.setState({ published: { version: number, document: toDocument(version.document) } });
}

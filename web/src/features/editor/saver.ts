/** Keeps the draft safe: every edit goes to the journal at once and to the server within 2 s, on the revision it stands on (If-Match). */
import { api, ApiError, unwrap, type Workflow } from "../../api/client";
import { keys, queryClient } from "../../api/queries";
import { toDocument, type WorkflowDocument } from "../../graph/document";
import { JournalWriter } from "./journal";
import { placeProblems, type Editor } from "./store";

const quiet = 600; // milliseconds without an edit before it is saved
const longest = 1500; // milliseconds an edit waits at most
const afterFailure = 3000;

export class Saver {
  private readonly journal = new JournalWriter();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private firstUnsaved: number | null = null;
  private savedDocument: WorkflowDocument;
  private running: Promise<void> | null = null;
  private readonly stop: () => void;
  private closed = false;

  constructor(private readonly editor: Editor) {
    const state = editor.getState();
    this.savedDocument = state.saveState === "saved" ? state.history.document : toDocument(state.workflow);
    this.stop = editor.subscribe((now, before) => {
      if (now.history !== before.history) this.noticed();
    });
    window.addEventListener("online", this.retry);
    if (state.saveState !== "saved") this.noticed();
  }

  close(): void {
    void this.flush();
    this.closed = true;
    this.stop();
    window.removeEventListener("online", this.retry);
  }

  /** Saves what is not saved yet, now; resolves when the server has it or it could not be saved. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer);
    if (this.running) await this.running;
    if (this.isDirty() && this.editor.getState().saveState !== "conflict") await this.save();
    return !this.isDirty();
  }

  /** Resolves when the journal holds every edit. */
  journaled(): Promise<void> {
    return this.journal.settled();
  }

  /** Goes on from the server's state after a conflict was resolved or a version restored there. */
  rebase(workflow: Workflow): void {
    this.savedDocument = toDocument(workflow);
    this.editor.setState({ workflow, revision: workflow.revision, conflict: null, saveState: "kept" });
    this.noticed();
  }

  private isDirty(): boolean {
    return this.editor.getState().history.document !== this.savedDocument;
  }

  private readonly retry = (): void => void this.flush();

  private noticed(): void {
    this.record();
    if (!this.isDirty()) return;
    const state = this.editor.getState();
    if (state.saveState === "conflict") return;
    if (state.saveState === "saved") this.editor.setState({ saveState: "kept" });
    this.firstUnsaved ??= Date.now();
    this.schedule(Math.max(0, Math.min(quiet, this.firstUnsaved + longest - Date.now())));
  }

  private schedule(delay: number): void {
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(() => void this.flush(), delay);
  }

  private record(): void {
    const { id, revision, history } = this.editor.getState();
    this.journal.write({ workflow: id, revision, saved: !this.isDirty(), document: history.document, past: history.past, future: history.future });
  }

  private save(): Promise<void> {
    this.running = this.put().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async put(): Promise<void> {
    const { id, revision, history } = this.editor.getState();
    const document = history.document;
    this.editor.setState({ saveState: "saving" });
    try {
      const workflow = await unwrap(
        api.PUT("/api/workflows/{id}/", {
          params: { path: { id }, query: { allow_invalid: true }, header: { "If-Match": `"${revision}"` } },
          body: document as never,
        }),
      );
      this.savedDocument = document;
      this.firstUnsaved = null;
      const clean = !this.isDirty();
      this.editor.setState({ workflow, revision: workflow.revision, saveState: clean ? "saved" : "kept", saveError: null, problems: placeProblems(workflow.issues, document) });
      this.record();
      void queryClient.invalidateQueries({ queryKey: [...keys.workflows, "list"] });
      if (!clean) this.schedule(quiet);
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) await this.conflict(document);
      else if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429 && error.status !== 408) {
        this.editor.setState({ saveState: "kept", saveError: error.message }); // the server will not take this one; the next edit tries again
      } else {
        this.editor.setState({ saveState: "kept", saveError: error instanceof Error ? error.message : String(error) });
        this.schedule(afterFailure);
      }
    }
  }

  private async conflict(mine: WorkflowDocument): Promise<void> {
    const { id } = this.editor.getState();
    try {
      const workflow = await unwrap(api.GET("/api/workflows/{id}/", { params: { path: { id } } }));
      const theirs = toDocument(workflow);
      if (JSON.stringify(theirs) === JSON.stringify(mine)) {
        // our own save, whose answer was lost
        this.savedDocument = mine;
        this.editor.setState({ workflow, revision: workflow.revision, saveState: "saved", problems: placeProblems(workflow.issues, mine) });
        this.record();
        return;
      }
      this.editor.setState({ saveState: "conflict", conflict: { theirs, revision: workflow.revision }, workflow });
    } catch {
      this.editor.setState({ saveState: "kept" });
      this.schedule(afterFailure);
    }
  }
}

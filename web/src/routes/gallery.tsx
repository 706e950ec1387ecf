/** Every component in every state, for those who change them (`npm run dev`, then /__gallery). Not part of the product that is built. */
import { Ellipsis, Play, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";

import { ApiError } from "../api/client";
import { setTheme } from "../app/theme";
import { DataViewer } from "../features/data/viewer";
import { EventsView } from "../features/executions/events_view";
import { LogWindow } from "../features/executions/log_window";
import { TaskErrorBox } from "../features/executions/step_output";
import { TimelineView } from "../features/executions/timeline_view";
import { readInput, RunInputField } from "../features/forms/run_input";
import { GalleryCanvas, GalleryFar } from "../features/gallery/canvases";
import * as samples from "../features/gallery/samples";
import { RecentBars } from "../features/workflows/recent_bars";
import { t } from "../text";
import { Button, CopyButton, Dialog, Field, Menu, Segmented, Tabs } from "../ui/controls";
import { Empty, ErrorState, LoadingRows } from "../ui/states";
import { StatusBadge, StatusGlyph, StatusText } from "../ui/status";
import { toast } from "../ui/toast";
import "../styles/gallery.css";

const problem = (status: number, title: string, detail: string): ApiError => new ApiError({ type: "about:blank", title, status, code: "some.code", detail, instance: "/", request_id: "01J9Z3" });

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="gallery-part" aria-label={title}>
      <h2 className="b">{title}</h2>
      {children}
    </section>
  );
}

export function GalleryPage() {
  const [theme, setShown] = useState(() => (document.documentElement.classList.contains("dark") ? "dark" : "light"));
  const [choice, setChoice] = useState("one");
  const [open, setOpen] = useState(false);
  const [input, setInput] = useState('{"email": "no", "seats": 0, "plan": "gold"}');
  const show = (next: "light" | "dark"): void => {
    setTheme(next);
    setShown(next);
  };
  return (
    <main className="page gallery" id="content">
      <h1>Component states</h1>
      <Segmented label={t.app.theme} value={theme as "light" | "dark"} onChange={show} options={[{ value: "light", text: t.app.light }, { value: "dark", text: t.app.dark }]} />
      <Part title="Steps in the designer"><GalleryCanvas drawing={samples.editorNodes()} label="Steps in the designer" /></Part>
      <Part title="Steps in an execution"><GalleryCanvas drawing={samples.runNodes()} label="Steps in an execution" /></Part>
      <Part title="Edges"><GalleryCanvas drawing={samples.edges()} label="Edges" /></Part>
      <Part title="From afar"><div className="row" key={theme}><GalleryFar drawing={samples.editorNodes()} /><GalleryFar drawing={samples.runNodes()} /></div></Part>
      <Part title="Statuses">
        <div className="gallery-row">{samples.statuses.map((status) => <StatusBadge key={status} status={status} />)}</div>
        <div className="gallery-row">{samples.statuses.map((status) => <StatusText key={status} status={status} />)}</div>
        <div className="gallery-row">{samples.statuses.map((status) => <StatusGlyph key={status} status={status} />)}</div>
        <div className="gallery-row">
          <RecentBars workflow="w" runs={samples.statuses.filter((status) => ["completed", "failed", "cancelled", "running", "waiting", "paused"].includes(status)).map((status, index) => ({ id: status, status: status as "completed", started_at: samples.startedAt, completed_at: index < 3 ? new Date(Date.parse(samples.startedAt) + 10 ** (index + 2)).toISOString() : null }))} />
        </div>
      </Part>
      <Part title="Controls">
        <div className="gallery-row">
          <Button>Plain</Button>
          <Button kind="primary">Primary</Button>
          <Button kind="quiet">Quiet</Button>
          <Button kind="danger">Danger</Button>
          <Button disabled>Disabled</Button>
          <Button kind="primary" disabled>Disabled</Button>
          <Button size="sm">Small</Button>
          <Button size="lg">Large</Button>
          <Button icon kind="quiet" label="With a tooltip and keys" keys="Mod+Enter"><Play className="icon" aria-hidden="true" /></Button>
          <Button kind="quiet" aria-pressed="true">Pressed</Button>
          <CopyButton text="copied" />
          <Menu trigger={<Button icon label={t.app.more}><Ellipsis className="icon" aria-hidden="true" /></Button>} items={[{ text: "Plain", keys: "Mod+D", onSelect: () => {} }, { text: "Disabled", disabled: true, onSelect: () => {} }, "separator", { text: "Danger", danger: true, icon: <Trash2 className="icon sm" aria-hidden="true" />, onSelect: () => {} }]} />
          <Button onClick={() => toast("Something was done")}>Toast</Button>
          <Button onClick={() => toast("Something was done", { text: "Undo", run: () => {} })}>Toast with an action</Button>
          <Button onClick={() => setOpen(true)}>Dialog</Button>
        </div>
        <Segmented label="Segmented" value={choice} onChange={setChoice} options={[{ value: "one", text: "One" }, { value: "two", text: "Two" }, { value: "three", text: "Disabled", disabled: true }]} />
        <Tabs label="Tabs" value={choice} onChange={setChoice} options={[{ value: "one", text: "One" }, { value: "two", text: "Two" }]} />
        <Dialog title="A dialog" description="What it is about." open={open} onClose={() => setOpen(false)} footer={<Button kind="primary" size="lg" onClick={() => setOpen(false)}>Close</Button>}><p>Content</p></Dialog>
      </Part>
      <Part title="Forms">
        <div className="gallery-form form">
          <Field label="Text" id="g-text" help="What it is for."><input id="g-text" className="input" placeholder="placeholder" /></Field>
          <Field label="With an error" id="g-bad" error="This can not be."><input id="g-bad" className="input" aria-invalid="true" defaultValue="wrong" /></Field>
          <Field label="Disabled" id="g-off"><input id="g-off" className="input" disabled defaultValue="off" /></Field>
          <Field label="Choice" id="g-choice"><select id="g-choice" className="input select"><option>One</option></select></Field>
          <label className="row"><input className="switch" type="checkbox" role="switch" defaultChecked /> Switch</label>
          <label className="row"><input className="radio" type="radio" defaultChecked /> Radio</label>
          <RunInputField schema={samples.inputSchema} input={readInput(input, samples.inputSchema)} shown onChange={setInput} />
        </div>
      </Part>
      <Part title="View states">
        <div className="gallery-states">
          <Empty title="Nothing here yet" actions={<Button kind="primary">Make one</Button>}>What this is, in one sentence.</Empty>
          <LoadingRows rows={3} />
          <ErrorState error={problem(500, "Internal error", "Something broke.")} retry={() => {}} />
          <ErrorState error={problem(403, "Forbidden", "Your role may read workflows, and not change them. An admin can give you the role editor.")} />
          <ErrorState error={problem(0, "", "")} retry={() => {}} />
          <ErrorState error={new Error("An error of the page itself")} />
        </div>
      </Part>
      <Part title="Data">
        <div className="gallery-data">{(["json", "table", "schema"] as const).map((view) => <div key={view}><DataViewer initial={view} label={`Data as ${view}`} value={{ rows: [{ id: 1, name: "Ada", tags: ["x"] }, { id: 2, name: null, tags: [] }], text: "a text", none: null, yes: true }} base={["steps", "crm", "output"]} onInsert={() => {}} /></div>)}</div>
        <TaskErrorBox task={{ error: { code: "http.5xx", title: "The server failed", detail: "POST /contacts answered 503.", details: { status: 503 } } } as never} />
      </Part>
      <Part title="Time line, events, log">
        <div className="gallery-tall"><TimelineView journal={{ events: samples.events, complete: true, error: null }} startedAt={samples.startedAt} tasks={samples.timelineTasks} document={samples.timelineDocument} running={false} selected="b" onSelect={() => {}} /></div>
        <div className="gallery-tall"><EventsView id="e" events={samples.events} chosen={5} onChoose={() => {}} /></div>
        <div className="gallery-tall logs"><LogWindow lines={samples.logLines} follow={false} onFollow={() => {}} wrap={false} marked={null} chosen={{ from: 2, to: 3 }} onChoose={() => {}} /></div>
      </Part>
    </main>
  );
}

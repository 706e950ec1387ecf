import { PanelRightClose, PanelRightOpen } from "lucide-react";
import { useState, type ReactNode } from "react";

import { findStep } from "../../graph/document";
import { readSetting, writeSetting } from "../../lib/storage";
import { t } from "../../text";
import { Button, Tabs, type MenuItem } from "../../ui/controls";
import { StatusText } from "../../ui/status";
import { LogView } from "../executions/log_view";
import { StepOutput } from "../executions/step_output";
import { EventPanel } from "./panel/event_panel";
import { PollPanel } from "./panel/poll_panel";
import { SchedulePanel } from "./panel/schedule_panel";
import { StepPanel } from "./panel/step_panel";
import { WebhookPanel } from "./panel/webhook_panel";
import type { Saver } from "./saver";
import { useEditor, useEditorState, type DockTab } from "./store";
import { Versions } from "./versions";
import { WorkflowPanel } from "./workflow_panel";

const [narrowest, widest] = [320, 640];

type Props = { saver: Saver; readOnly: boolean; onRunOnly: (id: string) => void; menu: (id: string) => MenuItem[] };

/** The dock beside the canvas: the chosen step, the data and log of the run shown, the versions. */
export function Dock({ saver, readOnly, onRunOnly, menu }: Props) {
  const editor = useEditor();
  const open = useEditorState((state) => state.dockOpen);
  const tab = useEditorState((state) => state.dockTab);
  const selection = useEditorState((state) => state.selection);
  const document = useEditorState((state) => state.history.document);
  const execution = useEditorState((state) => state.execution);
  const [width, setWidth] = useState(() => readSetting("dock", 352));
  const resize = (next: number): void => {
    const kept = Math.max(narrowest, Math.min(widest, next));
    setWidth(kept);
    writeSetting("dock", kept);
  };
  if (!open)
    return (
      <Button className="dock-open" kind="quiet" icon label={t.editor.openDock} onClick={() => editor.setState({ dockOpen: true })}>
        <PanelRightOpen className="icon sm" aria-hidden="true" />
      </Button>
    );
  const only = selection.size === 1 ? [...selection][0]! : null;
  const step = only ? findStep(document, only) : undefined;
  const trigger = only?.startsWith("trigger:") ? document.triggers?.find((other) => `trigger:${other.id}` === only) : undefined;
  let content: ReactNode;
  if (tab === "versions") content = <Versions saver={saver} readOnly={readOnly} />;
  else if (tab === "logs") content = execution ? <LogView key={execution.id} id={execution.id} live={execution.status === "running" || execution.status === "pending" || execution.status === "waiting"} step={step?.id ?? null} compact /> : <p className="help data-none">{t.panel.sampleNone}</p>;
  else if (tab === "run")
    content = execution ? (
      <div className="dock-scroll">
        <p className="data-none">
          <StatusText status={execution.status} />
        </p>
        {execution.error_message && <p className="data-none t2">{execution.error_message}</p>}
        {step ? <StepOutput execution={execution.id} tasks={execution.tasks.filter((task) => task.step === step.id)} details /> : <p className="help data-none">{t.execution.chooseStep}</p>}
      </div>
    ) : (
      <p className="help data-none">{t.panel.sampleNone}</p>
    );
  else if (trigger?.trigger_type === "webhook") content = <WebhookPanel key={trigger.id} trigger={trigger} readOnly={readOnly} />;
  else if (trigger?.trigger_type === "event") content = <EventPanel key={trigger.id} trigger={trigger} readOnly={readOnly} />;
  else if (trigger?.trigger_type === "http_poll" || trigger?.trigger_type === "file_watch") content = <PollPanel key={trigger.id} trigger={trigger} readOnly={readOnly} />;
  else if (trigger?.trigger_type === "schedule") content = <SchedulePanel key={trigger.id} trigger={trigger} readOnly={readOnly} />;
  else content = step ? <StepPanel key={step.id} id={step.id} readOnly={readOnly} onRunOnly={onRunOnly} menu={menu} /> : <WorkflowPanel readOnly={readOnly} />;
  return (
    <aside className="dock" style={{ width }} aria-label={t.editor.dock}>
      <div
        className="dock-resize"
        role="separator"
        aria-orientation="vertical"
        aria-label={t.editor.resizeDock}
        aria-valuenow={width}
        aria-valuemin={narrowest}
        aria-valuemax={widest}
        tabIndex={0}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => event.buttons === 1 && resize(window.innerWidth - event.clientX)}
        onKeyDown={(event) => {
          if (event.key === "ArrowLeft") resize(width + 16);
          else if (event.key === "ArrowRight") resize(width - 16);
        }}
      />
      <div className="dock-tabs">
        <Tabs
          className="row gap-0.5"
          label={t.editor.dock}
          value={tab}
          onChange={(next: DockTab) => editor.setState({ dockTab: next })}
          options={[
            { value: "step", text: t.editor.tabStep },
            { value: "run", text: t.editor.tabRun },
            { value: "logs", text: t.editor.tabLogs },
            { value: "versions", text: t.editor.tabVersions },
          ]}
        />
        <span className="grow" />
        <Button kind="quiet" size="sm" icon label={t.editor.closeDock} onClick={() => editor.setState({ dockOpen: false })}>
          <PanelRightClose className="icon sm" aria-hidden="true" />
        </Button>
      </div>
      {content}
    </aside>
  );
}

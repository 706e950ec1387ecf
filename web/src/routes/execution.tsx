/** One execution: why it ran, what happened, each step with its data, and what to do about it. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChevronRight, Ellipsis, Flame, Pause, Play, RotateCcw, Square } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { api, idempotent, unwrap, type Execution } from "../api/client";
import { statsQuery, workflowQuery } from "../api/queries";
import { executionRoute } from "../app/router";
import { heatOf, ProgressMap } from "../features/canvas/progress";
import { StaticCanvas } from "../features/canvas/static_canvas";
import { DataViewer } from "../features/data/viewer";
import { EventsView } from "../features/executions/events_view";
import { LogView } from "../features/executions/log_view";
import { RetryDialog, type RetryPlan } from "../features/executions/retry_dialog";
import { StepOutput } from "../features/executions/step_output";
import { TimelineView } from "../features/executions/timeline_view";
import { useExecution, useExecutionDocument, useJournal } from "../features/executions/use_execution";
import { WaitPanel } from "../features/executions/wait_panel";
import { findStep, type Json, type WorkflowDocument } from "../graph/document";
import { elapsed, formatDuration, formatFull, formatTime, formatVersion, shortId } from "../lib/format";
import { useCommands, useNow, useTitle } from "../lib/hooks";
import { t } from "../text";
import { Button, CopyButton, Dialog, Field, Menu, Tabs } from "../ui/controls";
import { TypeTile } from "../ui/icons";
import { ErrorState, LoadingRows } from "../ui/states";
import { isOver, StatusBadge, StatusGlyph } from "../ui/status";

type Tab = "graph" | "timeline" | "events" | "logs" | "data";
const tabs: readonly Tab[] = ["graph", "timeline", "events", "logs", "data"];

export function ExecutionPage() {
  const { id } = executionRoute.useParams();
  const { execution, error, live, refetch } = useExecution(id);
  const { document, error: documentError } = useExecutionDocument(id);
  useTitle(execution ? `${execution.workflow_name} ${t.status[execution.status]}` : t.app.executions);
  if (error && !execution)
    return (
      <main className="page" id="content">
        <ErrorState error={error} retry={refetch} />
      </main>
    );
  if (!execution || (!document && !documentError))
    return (
      <main className="page" id="content">
        <LoadingRows rows={4} height={48} />
      </main>
    );
  return <Loaded key={id} execution={execution} document={document ?? { name: execution.workflow_name, steps: [] }} live={live} />;
}

function Loaded({ execution, document, live }: { execution: Execution; document: WorkflowDocument; live: string }) {
  const search = executionRoute.useSearch();
  const navigate = useNavigate({ from: "/executions/$id" });
  const tab: Tab = tabs.includes(search.tab as Tab) ? (search.tab as Tab) : "graph";
  const over = isOver(execution.status);
  const failedTask = execution.tasks.find((task) => task.status === "failed");
  const step = search.step ?? failedTask?.step ?? execution.tasks.find((task) => task.status === "waiting")?.step ?? null;
  const [retrying, setRetrying] = useState(false);
  const [plan, setPlan] = useState<RetryPlan | null>(null);
  const [cancelling, setCancelling] = useState(false);
  const progressMap = useRef(new ProgressMap());
  const progress = useMemo(() => progressMap.current.update(execution.tasks), [execution.tasks]);
  const [heating, setHeating] = useState(false);
  const heat = useMemo(() => (heating ? heatOf(progress, document.steps) : null), [heating, progress, document]);
  const planned = useMemo(() => (plan ? new Map<string, number | "reuse" | "skip">([...plan.run.map((name, index): [string, number] => [name, index + 1]), ...plan.reuse.map((entry): [string, "reuse"] => [entry.step, "reuse"])]) : null), [plan]);
  const journal = useJournal(execution.id, execution, tab === "timeline" || tab === "events");
  const select = useCallback((next: string | null) => void navigate({ search: (now) => ({ ...now, step: next ?? undefined }), replace: true }), [navigate]);
  const open = (next: Tab): void => void navigate({ search: (now) => ({ ...now, tab: next === "graph" ? undefined : next }) });
  const workflow = useQuery({ ...workflowQuery(execution.workflow ?? ""), enabled: execution.workflow !== null });
  const control = useMutation({
    mutationFn: (action: "pause" | "resume") => unwrap(api.POST(`/api/executions/{id}/${action}/`, { params: { path: { id: execution.id }, header: idempotent() }, body: {} })),
  });
  const group = t.app.executions;
  useCommands([
    ...tabs.map((name, index) => ({ id: `execution.tab.${name}`, title: t.execution[name], group, keys: [`Alt+${index + 1}`], scope: "global" as const, run: () => open(name) })),
    { id: "execution.heat", title: t.editor.heat, group: t.shortcutGroups.view, keys: ["Shift+H"], scope: "list", run: () => setHeating(!heating), enabled: () => tab === "graph" },
    { id: "execution.retry", title: t.execution.retry, group, keys: ["R"], scope: "list", run: () => setRetrying(true), enabled: () => over },
    { id: "execution.cancel", title: t.execution.cancel, group, scope: "list", run: () => setCancelling(true), enabled: () => !over },
  ]);
  const stepTasks = step ? execution.tasks.filter((task) => task.step === step) : [];
  const definition = step ? findStep(document, step) : undefined;
  const waiting = stepTasks.find((task) => task.status === "waiting");
  return (
    <div className="screen">
      <header className="topbar">
        <nav className="crumbs" aria-label={t.app.executions}>
          <Link to="/executions">{t.app.executions}</Link>
          <ChevronRight className="icon" aria-hidden="true" />
        </nav>
        <h1 className="clip">{execution.workflow_name}</h1>
        <StatusBadge status={execution.status} />
        <span className="mono t3 hide-narrow" title={execution.id}>
          {shortId(execution.id)}
        </span>
        <CopyButton text={execution.id} label={`${t.app.copy} ${t.executions.id}`} />
        {!over && (
          <span className="saved" role="status">
            <i className={live === "live" ? "dot-live" : ""} />
            {live === "live" ? t.app.live : live === "offline" ? t.app.offline : t.app.connecting}
          </span>
        )}
        <span className="grow" />
        {!over && execution.status !== "paused" && (
          <Button kind="quiet" size="lg" disabled={control.isPending} onClick={() => control.mutate("pause")}>
            <Pause className="icon sm" aria-hidden="true" />
            {t.execution.pause}
          </Button>
        )}
        {execution.status === "paused" && (
          <Button size="lg" disabled={control.isPending} onClick={() => control.mutate("resume")}>
            <Play className="icon sm solid" aria-hidden="true" />
            {t.execution.resume}
          </Button>
        )}
        {!over && (
          <Button size="lg" onClick={() => setCancelling(true)}>
            <Square className="icon sm" aria-hidden="true" />
            {t.execution.cancel}
          </Button>
        )}
        {execution.workflow && workflow.data && (
          <Button className="hide-narrow" size="lg" onClick={() => void navigate({ to: "/workflows/$id", params: { id: execution.workflow! }, search: { execution: execution.id, ...(step ? { step } : {}) } })}>
            {t.execution.copyToEditor}
          </Button>
        )}
        {over && (
          <Button kind="primary" size="lg" aria-expanded={retrying} aria-haspopup="dialog" onClick={() => setRetrying(!retrying)}>
            <RotateCcw className="icon sm" aria-hidden="true" />
            {t.execution.retry}
          </Button>
        )}
      </header>
      <main className="execution-page" id="content">
        <div className="execution-main">
          <Facts execution={execution} />
          {control.error && <ErrorState error={control.error} />}
          {execution.status === "failed" && <Explain execution={execution} document={document} onStep={select} />}
          <Tabs
            label={t.execution.views}
            value={tab}
            onChange={open}
            options={tabs.map((name) => ({ value: name, text: t.execution[name] }))}
          />
          <div className="execution-view">
            {tab === "graph" && (
              <StaticCanvas document={document} progress={progress} plan={planned} heat={heat} selected={step} onSelect={(next) => select(next && findStep(document, next) ? next : null)} label={t.execution.graph} minimap={document.steps.length > 12}>
                <Button className="float heat-toggle" kind="quiet" icon label={t.editor.heat} keys="Shift+H" aria-pressed={heating} onClick={() => setHeating(!heating)}>
                  <Flame className="icon" aria-hidden="true" />
                </Button>
                {plan && (
                  <p className="plan-key">
                    <span className="k-plan" />
                    {t.retry.plan}: <b>{t.retry.planSum(plan.reuse.length, plan.run.length)}</b>
                  </p>
                )}
              </StaticCanvas>
            )}
            {tab === "timeline" && (journal.error && journal.events.length === 0 ? <ErrorState error={journal.error} /> : <TimelineView journal={journal} startedAt={execution.started_at} tasks={execution.tasks} document={document} running={!over} selected={step} onSelect={select} />)}
            {tab === "events" && (journal.error && journal.events.length === 0 ? <ErrorState error={journal.error} /> : <EventsView id={execution.id} events={journal.events} chosen={search.event ? Number(search.event) : null} onChoose={(seq) => void navigate({ search: (now) => ({ ...now, event: seq === null ? undefined : String(seq) }), replace: true })} />)}
            {tab === "logs" && <LogView id={execution.id} live={!over} step={null} {...(search.line ? { line: Number(search.line) } : {})} />}
            {tab === "data" && <ExecutionData execution={execution} />}
          </div>
        </div>
        <aside className="side" aria-label={t.execution.step}>
          {definition && step ? (
            <>
              <header className="dock-head">
                <TypeTile type={definition.step_type} />
                <div className="clip">
                  <h2 className="clip">{definition.name ?? step}</h2>
                  <p className="sub">
                    {definition.step_type} · <code>{step}</code>
                  </p>
                </div>
                <Menu
                  trigger={
                    <Button kind="quiet" icon label={t.app.more}>
                      <Ellipsis className="icon" aria-hidden="true" />
                    </Button>
                  }
                  items={[
                    { text: t.execution.logs, onSelect: () => open("logs") },
                    { text: t.editor.runFrom, disabled: !over, onSelect: () => setRetrying(true) },
                  ]}
                />
              </header>
              <div className="dock-scroll">
                {waiting && !over && <WaitPanel execution={execution.id} task={waiting} />}
                {stepTasks.length > 0 ? <StepOutput execution={execution.id} tasks={stepTasks} details /> : <p className="help data-none">{t.execution.nothing}</p>}
              </div>
            </>
          ) : (
            <p className="help data-none">{t.execution.chooseStep}</p>
          )}
        </aside>
        {retrying && over && (
          <RetryDialog execution={execution} document={document} published={workflow.data?.published_version ?? null} onPlan={setPlan} onClose={() => setRetrying(false)} initialStep={execution.status === "completed" ? step : null} />
        )}
      </main>
      <CancelDialog id={execution.id} open={cancelling} onClose={() => setCancelling(false)} />
    </div>
  );
}

function Facts({ execution }: { execution: Execution }) {
  const over = isOver(execution.status);
  const now = useNow(!over, 250);
  const took = elapsed(execution.started_at, execution.completed_at, now);
  const stats = useQuery({ ...statsQuery(24 * 7, { workflow: execution.workflow ?? "" }), enabled: execution.workflow !== null });
  const usual = stats.data?.total.duration_ms.p50;
  return (
    <dl className="facts">
      <div>
        <dt>{t.execution.why}</dt>
        <dd>{execution.trigger}</dd>
      </div>
      <div>
        <dt>{t.execution.version}</dt>
        <dd>
          {execution.workflow ? (
            <Link className="link" to="/workflows/$id" params={{ id: execution.workflow }}>
              {formatVersion(execution.workflow_version, t.executions.draft)}
            </Link>
          ) : (
            t.app.none
          )}
        </dd>
      </div>
      <div>
        <dt>{t.execution.started}</dt>
        <dd title={formatFull(execution.started_at)}>{formatTime(execution.started_at)}</dd>
      </div>
      <div>
        <dt>{over ? t.execution.took : t.execution.running}</dt>
        <dd>
          {took === null ? t.app.none : formatDuration(took)} {usual != null && <span className="t3">{t.execution.usually(formatDuration(usual))}</span>}
        </dd>
      </div>
      {execution.retry_of && (
        <div>
          <dt>{t.execution.retryOf}</dt>
          <dd>
            <Link className="link mono" to="/executions/$id" params={{ id: execution.retry_of }}>
              {shortId(execution.retry_of)}
            </Link>
          </dd>
        </div>
      )}
      {execution.parent && (
        <div>
          <dt>{t.execution.childOf}</dt>
          <dd>
            <Link className="link mono" to="/executions/$id" params={{ id: execution.parent }}>
              {shortId(execution.parent)}
            </Link>
          </dd>
        </div>
      )}
      {Object.keys(execution.labels).length > 0 && (
        <div>
          <dt>{t.execution.labels}</dt>
          <dd>
            {Object.entries(execution.labels).map(([name, value]) => (
              <code key={name} className="code-chip">
                {name}={String(value)}
              </code>
            ))}
          </dd>
        </div>
      )}
    </dl>
  );
}

/** Answer, then evidence, then what to do. */
function Explain({ execution, document, onStep }: { execution: Execution; document: WorkflowDocument; onStep: (step: string) => void }) {
  const task = execution.tasks.find((candidate) => candidate.status === "failed");
  const error = task?.error ?? execution.error;
  if (!error) return null;
  const step = task ? findStep(document, task.step) : undefined;
  const allowed = step?.retry_config ? (step.retry_config.max_attempts ?? 3) : 1;
  const used = task ? task.retry_count + 1 : 1;
  return (
    <section className="explain" aria-labelledby="explain">
      <h2 id="explain">
        <StatusGlyph status="failed" />
        {step ? t.execution.failedStep(step.name ?? step.id, used, Math.max(allowed, used)) : t.execution.failedAlone}
      </h2>
      <div>
        <h3>{t.execution.whatHappened}</h3>
        <p>{error.detail}</p>
      </div>
      <div>
        <h3>{t.execution.where}</h3>
        <p>
          {task && (
            <>
              {t.execution.step}{" "}
              <button type="button" className="link" onClick={() => onStep(task.step)}>
                {step?.name ?? task.step}
              </button>
              .{" "}
            </>
          )}
          <code>{error.code}</code>
        </p>
      </div>
      <div>
        <h3>{t.execution.whatToDo}</h3>
        <p>{(error as { remedy?: string }).remedy ?? t.execution.thenRetry}</p>
      </div>
    </section>
  );
}

function ExecutionData({ execution }: { execution: Execution }) {
  return (
    <div className="two data-two">
      <section aria-label={t.execution.input}>
        <h2 className="b data-none">{t.execution.input}</h2>
        <DataViewer value={(execution.input ?? null) as Json} label={t.execution.input} />
      </section>
      <section aria-label={t.execution.output}>
        <h2 className="b data-none">{t.execution.output}</h2>
        {execution.output === null ? <p className="help data-none">{t.execution.noOutput}</p> : <DataViewer value={execution.output as Json} label={t.execution.output} />}
      </section>
    </div>
  );
}

function CancelDialog({ id, open, onClose }: { id: string; open: boolean; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const cancel = useMutation({
    mutationFn: () => unwrap(api.POST("/api/executions/{id}/cancel/", { params: { path: { id }, header: idempotent() }, body: reason ? { reason } : {} })),
    onSuccess: onClose,
  });
  useEffect(() => {
    if (open) cancel.reset();
  }, [open]);
  return (
    <Dialog
      title={t.execution.cancelTitle}
      description={t.execution.cancelText}
      open={open}
      onClose={onClose}
      footer={
        <>
          <Button size="lg" onClick={onClose}>
            {t.execution.keepRunning}
          </Button>
          <Button kind="danger" size="lg" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
            {t.execution.cancel}
          </Button>
        </>
      }
    >
      <Field label={t.execution.reason} id="cancel-reason">
        <input id="cancel-reason" className="input" value={reason} onChange={(event) => setReason(event.target.value)} />
      </Field>
      {cancel.error && <ErrorState error={cancel.error} />}
    </Dialog>
  );
}

/** All workflows: what is live, what is draft, how the last runs went. */
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Ellipsis, FileUp, Plus, Search } from "lucide-react";
import { useEffect, useState } from "react";
import { parse as parseYaml } from "yaml";

import { api, idempotent, unwrap, type WorkflowSummary } from "../api/client";
import { keys, queryClient, triggerProblemsQuery, workflowsQuery } from "../api/queries";
import { workflowsRoute } from "../app/router";
import { RecentBars } from "../features/workflows/recent_bars";
import { formatAgo, formatFull } from "../lib/format";
import { useCommands, useSettled, useTitle } from "../lib/hooks";
import { t } from "../text";
import { Button, Dialog, Menu, Segmented } from "../ui/controls";
import { Empty, ErrorState, LoadingRows } from "../ui/states";
import { toast } from "../ui/toast";

type Status = "all" | "published" | "draft" | "disabled";

export function WorkflowsPage() {
  const search = workflowsRoute.useSearch();
  const navigate = useNavigate({ from: "/workflows" });
  const [text, setText] = useState(search.search ?? "");
  const settled = useSettled(text, 150);
  const [importing, setImporting] = useState(false);
  const [deleting, setDeleting] = useState<WorkflowSummary | null>(null);
  const status = (["published", "draft", "disabled"].includes(search.status ?? "") ? search.status : "all") as Status;
  useTitle(t.app.workflows);
  useEffect(() => void navigate({ search: (now) => ({ ...now, search: settled || undefined }), replace: true }), [settled, navigate]);
  const list = useInfiniteQuery(workflowsQuery({ search: settled, status: status === "all" ? undefined : status }, 14));
  const rows = list.data?.pages.flatMap((page) => page.results) ?? [];
  const create = useCreate();
  useCommands([{ id: "workflow.new", title: t.workflows.newWorkflow, group: t.app.workflows, scope: "global", run: () => create.mutate({ name: t.app.untitled, steps: [] }) }]);
  const filtered = settled !== "" || status !== "all";
  return (
    <div className="screen">
      <header className="topbar">
        <h1>{t.app.workflows}</h1>
        {list.data && <span className="t3">{t.workflows.counted(list.data.pages[0]?.count ?? 0)}</span>}
        <span className="grow" />
        <Button size="lg" onClick={() => setImporting(true)}>
          <FileUp className="icon sm" aria-hidden="true" />
          {t.workflows.import}
        </Button>
        <Button kind="primary" size="lg" disabled={create.isPending} onClick={() => create.mutate({ name: t.app.untitled, steps: [] })}>
          <Plus className="icon sm" aria-hidden="true" />
          {t.workflows.newWorkflow}
        </Button>
      </header>
      <main className="list-page" id="content">
        <div className="filters">
          <label className="searchbox">
            <Search className="icon sm" aria-hidden="true" />
            <input className="bare" type="search" aria-label={t.workflows.searchLabel} placeholder={t.workflows.searchLabel} value={text} onChange={(event) => setText(event.target.value)} data-search="" />
            <kbd className="kbd">/</kbd>
          </label>
          <Segmented
            label={t.workflows.state}
            value={status}
            onChange={(next) => void navigate({ search: (now) => ({ ...now, status: next === "all" ? undefined : next }) })}
            options={[
              { value: "all", text: t.workflows.all },
              { value: "published", text: t.workflows.published },
              { value: "draft", text: t.workflows.drafts },
              { value: "disabled", text: t.workflows.disabled },
            ]}
          />
        </div>
        {create.error && <ErrorState error={create.error} />}
        {list.error ? (
          <ErrorState error={list.error} retry={() => void list.refetch()} />
        ) : list.isPending ? (
          <LoadingRows height={48} />
        ) : rows.length === 0 ? (
          filtered ? (
            <Empty title={t.workflows.noneFit} actions={<Button onClick={() => { setText(""); void navigate({ search: {} }); }}>{t.workflows.clearSearch}</Button>} />
          ) : (
            <Empty
              title={t.workflows.emptyTitle}
              actions={
                <>
                  <Button kind="primary" onClick={() => void navigate({ to: "/templates" })}>
                    {t.workflows.fromTemplate}
                  </Button>
                  <Button onClick={() => create.mutate({ name: t.app.untitled, steps: [] })}>{t.workflows.newWorkflow}</Button>
                </>
              }
            >
              {t.workflows.empty}
            </Empty>
          )
        ) : (
          <div className="table-scroll" tabIndex={0}>
            <table className="table wf">
              <thead>
                <tr>
                  <th scope="col">{t.workflows.name}</th>
                  <th scope="col">{t.workflows.state}</th>
                  <th scope="col">{t.workflows.recent}</th>
                  <th scope="col" className="num">{t.workflows.steps}</th>
                  <th scope="col">{t.workflows.changed}</th>
                  <th scope="col">
                    <span className="sr">{t.app.more}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((workflow) => (
                  <Row key={workflow.id} workflow={workflow} onDelete={() => setDeleting(workflow)} />
                ))}
              </tbody>
            </table>
            {list.hasNextPage && (
              <Button className="load-more" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                {t.executions.loadMore}
              </Button>
            )}
          </div>
        )}
      </main>
      <ImportDialog open={importing} onClose={() => setImporting(false)} />
      {deleting && <DeleteDialog workflow={deleting} onClose={() => setDeleting(null)} />}
    </div>
  );
}

function useCreate() {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (document: object) => unwrap(api.POST("/api/workflows/", { params: { query: { allow_invalid: true }, header: idempotent() }, body: document as never })),
    onSuccess: (workflow) => {
      void queryClient.invalidateQueries({ queryKey: keys.workflows });
      void navigate({ to: "/workflows/$id", params: { id: workflow.id } });
    },
  });
}

/** What keeps its triggers from firing, with the page that tells more. */
function TriggerStates({ workflow }: { workflow: string }) {
  const { data: problems } = useQuery(triggerProblemsQuery);
  const words = [...new Set((problems ?? []).flatMap((problem) => (problem.workflow === workflow && problem.kind !== "missed" ? [t.triggers.listState[problem.kind]] : [])))];
  return words.map((word) => (
    <Link key={word} to="/triggers" className="pill pill-sm pill-off">
      <span>{word}</span>
    </Link>
  ));
}

function Row({ workflow, onDelete }: { workflow: WorkflowSummary; onDelete: () => void }) {
  const navigate = useNavigate();
  const create = useCreate();
  const toggle = useMutation({
    mutationFn: () => unwrap(api.POST(workflow.enabled ? "/api/workflows/{id}/disable/" : "/api/workflows/{id}/enable/", { params: { path: { id: workflow.id }, header: idempotent() } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.workflows }),
  });
  const copy = async (): Promise<void> => {
    const document = await unwrap(api.GET("/api/workflows/{id}/export/", { params: { path: { id: workflow.id }, query: { format: "json" } as never } }));
    create.mutate({ ...(document as object), name: `${workflow.name} (2)` });
  };
  return (
    <tr>
      <td>
        <span className="name">
          <Link to="/workflows/$id" params={{ id: workflow.id }}>
            {workflow.name || t.app.untitled}
          </Link>
          <span className="clip">
            {workflow.description}
            {workflow.tags.map((tag) => (
              <span key={tag} className="code-chip tag">
                {tag}
              </span>
            ))}
          </span>
        </span>
      </td>
      <td>
        <span className={workflow.published_version === null || !workflow.enabled ? "pill pill-sm pill-off" : "pill pill-sm"}>
          <span className={workflow.published_version === null ? "" : "pill-live"}>{workflow.published_version === null ? t.pill.never : workflow.enabled ? t.pill.live(workflow.published_version) : t.pill.disabled}</span>
          {workflow.is_draft && <span className="pill-draft">{t.pill.draftOnly}</span>}
        </span>
        {!workflow.is_valid && <span className="t3"> {t.workflows.hasProblems}</span>}
        <TriggerStates workflow={workflow.id} />
      </td>
      <td>
        <RecentBars runs={workflow.recent ?? []} workflow={workflow.id} />
      </td>
      <td className="num">{workflow.steps}</td>
      <td className="t2" title={formatFull(workflow.updated_at)}>
        {formatAgo(workflow.updated_at)}
      </td>
      <td className="num">
        <Menu
          trigger={
            <Button kind="quiet" icon label={`${t.app.more}: ${workflow.name}`}>
              <Ellipsis className="icon" aria-hidden="true" />
            </Button>
          }
          items={[
            { text: t.app.executions, onSelect: () => void navigate({ to: "/executions", search: { workflow: workflow.id } }) },
            { text: t.workflows.duplicate, onSelect: () => void copy().catch((reason: unknown) => toast(String(reason))) },
            { text: t.workflows.exportYaml, onSelect: () => window.open(`/api/workflows/${workflow.id}/export/?format=yaml`, "_blank", "noopener") },
            { text: workflow.enabled ? t.workflows.disable : t.workflows.enable, onSelect: () => toggle.mutate() },
            "separator",
            { text: t.workflows.delete, danger: true, onSelect: onDelete },
          ]}
        />
      </td>
    </tr>
  );
}

function DeleteDialog({ workflow, onClose }: { workflow: WorkflowSummary; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE("/api/workflows/{id}/", { params: { path: { id: workflow.id } } })),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: keys.workflows });
      onClose();
    },
  });
  return (
    <Dialog
      title={t.workflows.deleteTitle(workflow.name)}
      open
      onClose={onClose}
      footer={
        <>
          <Button size="lg" onClick={onClose}>
            {t.app.cancel}
          </Button>
          <Button kind="danger" size="lg" disabled={remove.isPending} onClick={() => remove.mutate()}>
            {t.workflows.delete}
          </Button>
        </>
      }
    >
      <p>{t.workflows.deleteText}</p>
      {remove.error && <ErrorState error={remove.error} />}
    </Dialog>
  );
}

function ImportDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [text, setText] = useState("");
  const [bad, setBad] = useState<string | null>(null);
  const create = useCreate();
  const take = (): void => {
    try {
      const value = parseYaml(text) as unknown;
      if (typeof value !== "object" || value === null || !Array.isArray((value as { steps?: unknown }).steps)) throw new Error(t.workflows.importHelp);
      setBad(null);
      create.mutate(value, { onSuccess: onClose });
    } catch (reason) {
      setBad(reason instanceof Error ? reason.message : String(reason));
    }
  };
  return (
    <Dialog
      title={t.workflows.importTitle}
      description={t.workflows.importHelp}
      open={open}
      onClose={onClose}
      wide
      footer={
        <>
          <Button size="lg" onClick={onClose}>
            {t.app.cancel}
          </Button>
          <Button kind="primary" size="lg" disabled={text.trim() === "" || create.isPending} onClick={take}>
            {t.workflows.import}
          </Button>
        </>
      }
    >
      <input
        type="file"
        accept=".yaml,.yml,.json"
        aria-label={t.workflows.chooseFile}
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) void file.text().then(setText);
        }}
      />
      <textarea className="input mono" rows={14} aria-label={t.workflows.importTitle} placeholder={t.workflows.importPlaceholder} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
      {bad && (
        <p className="help bad" role="alert">
          {bad}
        </p>
      )}
      {create.error && <ErrorState error={create.error} />}
    </Dialog>
  );
}

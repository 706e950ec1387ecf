/** The designer: canvas or code, the dock beside it, problems below. */
import { ReactFlowProvider } from "@xyflow/react";
import { useBlocker } from "@tanstack/react-router";
import { Search, X } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { queryClient, executionsQuery } from "../api/queries";
import { designerRoute } from "../app/router";
import { CodeTab } from "../features/editor/code_tab";
import { EditorCanvas, type CanvasHandle, type Mode } from "../features/editor/canvas";
import { useDesignerCommands } from "../features/editor/commands";
import { ConflictDialog } from "../features/editor/conflict";
import { Dock } from "../features/editor/dock";
import { focusNode } from "../features/editor/focus_node";
import { findInDocument } from "../features/editor/find";
import { openWorkflow, type Opened } from "../features/editor/open";
import { Outline } from "../features/editor/outline";
import { ProblemStrip } from "../features/editor/problems";
import { PublishDialog } from "../features/editor/publish";
import { RunDialog } from "../features/editor/run_dialog";
import type { Saver } from "../features/editor/saver";
import { EditorProvider, useEditor, useEditorState, type Problem } from "../features/editor/store";
import { Toolbar } from "../features/editor/toolbar";
import { TopBar } from "../features/editor/top_bar";
import { positionsFor, useTypes } from "../features/editor/use_view";
import { useRun, type RunWish } from "../features/editor/use_run";
import { findStep, wouldCycle, type Json } from "../graph/document";
import { connect } from "../graph/edits";
import { checkInput } from "../graph/inputs";
import { hasPlainOutput, namedPorts } from "../graph/anatomy";
import { tell } from "../graph/telling";
import { offerSteps } from "../lib/palette_steps";
import { isTyping } from "../lib/shortcuts";
import { useTitle } from "../lib/hooks";
import { t } from "../text";
import { announce } from "../ui/announcer";
import { Button } from "../ui/controls";
import { Empty, ErrorState, LoadingRows } from "../ui/states";
import { toast } from "../ui/toast";

export function DesignerPage() {
  const { id } = designerRoute.useParams();
  const [opened, setOpened] = useState<Opened | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let gone = false;
    let own: Opened | null = null;
    setOpened(null);
    setError(null);
    openWorkflow(id).then(
      (next) => {
        if (gone) next.saver.close();
        else setOpened((own = next));
      },
      (reason: unknown) => !gone && setError(reason),
    );
    return () => {
      gone = true;
      own?.saver.close();
    };
  }, [id, attempt]);
  if (error)
    return (
      <main className="page" id="content">
        <ErrorState error={error} retry={() => setAttempt(attempt + 1)} />
      </main>
    );
  if (!opened)
    return (
      <main className="page" id="content">
        <LoadingRows rows={3} height={48} />
      </main>
    );
  return (
    <EditorProvider value={opened.editor}>
      <ReactFlowProvider>
        <Designer key={id} saver={opened.saver} />
      </ReactFlowProvider>
    </EditorProvider>
  );
}

const narrow = window.matchMedia("(max-width: 767px)");

function Designer({ saver }: { saver: Saver }) {
  const editor = useEditor();
  const search = designerRoute.useSearch();
  const navigate = designerRoute.useNavigate();
  const view = search.view === "code" ? "code" : "canvas";
  const document = useEditorState((state) => state.history.document);
  const problems = useEditorState((state) => state.problems);
  const restored = useEditorState((state) => state.restored);
  const types = useTypes();
  const canvas = useRef<CanvasHandle>(null);
  const [mode, setMode] = useState<Mode>("select");
  const [minimap, setMinimap] = useState(true);
  const [outline, setOutline] = useState(false);
  const [publishing, setPublishing] = useState(false);
  const [wish, setWish] = useState<Omit<RunWish, "input"> | null>(null);
  const [find, setFind] = useState<string | null>(null);
  const [findIndex, setFindIndex] = useState(0);
  const [problem, setProblem] = useState(0);
  const [connecting, setConnecting] = useState<{ from: string; candidates: string[]; index: number } | null>(null);
  const [readOnly, setReadOnly] = useState(narrow.matches);
  const { run, plan, stop, clear } = useRun(saver);
  useTitle(document.name);

  useEffect(() => {
    const changed = (): void => setReadOnly(narrow.matches);
    narrow.addEventListener("change", changed);
    return () => narrow.removeEventListener("change", changed);
  }, []);
  useEffect(() => {
    if (restored > 0) toast(t.editor.restored(restored), { text: t.versions.compare, run: () => setPublishing(true) });
  }, [restored]);
  // The data of the newest execution is there for expressions at once.
  useEffect(() => {
    const { id } = editor.getState();
    void queryClient.fetchInfiniteQuery(executionsQuery({ workflow: id, status: "completed,failed" }, 1)).then((page) => {
      const newest = page.pages[0]?.results[0];
      if (newest && !editor.getState().sampleId) editor.setState({ sampleId: newest.id });
    }, () => {});
    if (search.step) editor.openStep(search.step);
    if (search.execution) editor.setState({ executionId: search.execution, sampleId: search.execution });
    if (narrow.matches) editor.setState({ dockOpen: false });
  }, [editor]);
  useBlocker({ shouldBlockFn: async () => !(await saver.flush()) && editor.getState().saveState === "conflict", enableBeforeUnload: () => false });

  const lastInput = useRef<Json | undefined>(undefined);
  const start = useCallback(
    (options: { withInput?: boolean; draft?: boolean; partial?: RunWish["partial"] }) => {
      const next = { draft: options.draft ?? true, ...(options.partial ? { partial: options.partial } : {}) };
      const needsInput = checkInput(editor.getState().history.document.inputs, lastInput.current ?? {}).length > 0;
      if (options.withInput || options.partial || needsInput) setWish(next);
      else void run({ ...next, input: lastInput.current ?? {} }).catch((reason: unknown) => toast(reason instanceof Error ? reason.message : String(reason), { text: t.editor.showProblems, run: () => goToProblem(1) }));
    },
    [editor, run],
  );
  const goTo = useCallback((stepId: string) => {
    canvas.current?.centerOn(stepId);
    focusNode(stepId);
  }, []);
  useEffect(
    () =>
      offerSteps({
        list: () => editor.getState().history.document.steps.map((step) => ({ id: step.id, name: step.name ?? step.id, detail: tell(step) })),
        go: (stepId) => {
          editor.openStep(stepId);
          goTo(stepId);
        },
      }),
    [editor, goTo],
  );
  const showProblem = useCallback(
    (chosen: Problem, index: number) => {
      setProblem(index);
      if (!chosen.step) {
        editor.select([]);
        return;
      }
      editor.openStep(chosen.step, chosen.field?.startsWith("retry_config") ? "reliability" : "parameters");
      canvas.current?.centerOn(chosen.step);
      const field = /^config\/([^/]+)/.exec(chosen.field ?? "")?.[1];
      if (field) requestAnimationFrame(() => globalThis.document.querySelector<HTMLElement>(`.dock [data-field="${CSS.escape(field)}"] :is(input, textarea, select, [data-code])`)?.focus());
    },
    [editor],
  );
  const goToProblem = useCallback(
    (direction: 1 | -1) => {
      const list = editor.getState().problems;
      if (list.length === 0) return;
      const next = (problem + direction + list.length) % list.length;
      showProblem(list[next]!, next);
    },
    [editor, problem, showProblem],
  );

  // Finding: names, ids, types and everything inside the settings.
  const found = useMemo(() => (find === null ? [] : findInDocument(document, find)), [document, find]);
  const marked = useMemo(() => new Set(found), [found]);
  const findNext = (): void => {
    if (found.length === 0) return;
    const next = found[findIndex % found.length]!;
    setFindIndex(findIndex + 1);
    editor.select([next]);
    canvas.current?.centerOn(next);
  };

  // Connecting by keyboard: candidates are chosen with the arrows or by typing a name.
  const startConnect = (from: string): void => {
    const own = findStep(document, from);
    const taken = new Set(document.steps.filter((step) => step.depends_on?.some((entry) => (typeof entry === "string" ? entry : entry.step) === from)).map((step) => step.id));
    const here = positionsFor(document).get(from) ?? [0, 0];
    const distance = (id: string): number => {
      const at = positionsFor(document).get(id) ?? [0, 0];
      return (at[0] - here[0]) ** 2 + (at[1] - here[1]) ** 2;
    };
    const candidates = document.steps.map((step) => step.id).filter((id) => !taken.has(id) && !wouldCycle(document, from, id)).sort((a, b) => distance(a) - distance(b));
    if (!own || candidates.length === 0) {
      announce(t.node.noCandidates);
      toast(t.node.noCandidates);
      return;
    }
    setConnecting({ from, candidates, index: 0 });
    announce(`${t.node.connectFrom(own.name ?? from)} ${t.node.connectCandidate(findStep(document, candidates[0]!)?.name ?? candidates[0]!)}`);
  };
  useEffect(() => {
    if (!connecting) return;
    let typed = "";
    const listener = (event: KeyboardEvent): void => {
      const move = (index: number): void => {
        const next = (index + connecting.candidates.length) % connecting.candidates.length;
        setConnecting({ ...connecting, index: next });
        const id = connecting.candidates[next]!;
        canvas.current?.centerOn(id);
        announce(t.node.connectCandidate(findStep(document, id)?.name ?? id));
      };
      if (event.key === "Escape") setConnecting(null);
      else if (event.key === "ArrowRight" || event.key === "ArrowDown" || event.key === "Tab") move(connecting.index + 1);
      else if (event.key === "ArrowLeft" || event.key === "ArrowUp") move(connecting.index - 1);
      else if (event.key === "Enter") {
        const target = connecting.candidates[connecting.index]!;
        const source = findStep(document, connecting.from)!;
        const type = types.get(source.step_type);
        const used = new Set(document.steps.flatMap((step) => (step.depends_on ?? []).flatMap((entry) => (typeof entry !== "string" && entry.step === source.id ? [entry.when] : []))));
        const port = hasPlainOutput(source, type) ? null : (namedPorts(source, type).find((name) => !used.has(name)) ?? namedPorts(source, type)[0] ?? null);
        editor.edit(t.labels.connect(source.name ?? source.id, findStep(document, target)?.name ?? target), connect({ source: source.id, port, target }));
        setConnecting(null);
        focusNode(source.id);
      } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
        typed += event.key.toLowerCase();
        const index = connecting.candidates.findIndex((id) => `${findStep(document, id)?.name ?? ""} ${id}`.toLowerCase().includes(typed));
        if (index >= 0) move(index);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    };
    window.addEventListener("keydown", listener, true);
    return () => window.removeEventListener("keydown", listener, true);
  }, [connecting, document, editor, types]);

  const { menu, paste, copy, remove } = useDesignerCommands({
    editor,
    canvas,
    readOnly,
    setMode,
    toggleMinimap: () => setMinimap((on) => !on),
    toggleOutline: () => setOutline((on) => !on),
    openFind: () => setFind((now) => now ?? ""),
    findNext,
    startConnect,
    run: start,
    stop: () => void stop(),
    save: () => void saver.flush().then((done) => done && toast(t.editor.saved)),
    publish: () => setPublishing(true),
    view: (name) => void navigate({ search: (now) => ({ ...now, view: view === name ? "canvas" : name }) }),
    nextProblem: goToProblem,
  });

  // The browser's own copy and paste: also from other windows, chats and files.
  useEffect(() => {
    let shift = false;
    const onCanvas = (event: Event): boolean => view === "canvas" && !readOnly && !isTyping(event.target) && !globalThis.document.querySelector("dialog[open]") && (globalThis.getSelection()?.isCollapsed ?? true);
    const keys = (event: KeyboardEvent): void => {
      shift = event.shiftKey;
    };
    const onCopy = (event: ClipboardEvent): void => {
      const text = onCanvas(event) ? copy() : null;
      if (!text) return;
      event.clipboardData?.setData("text/plain", text);
      event.preventDefault();
      if (event.type === "cut") remove(true);
    };
    const onPaste = (event: ClipboardEvent): void => {
      if (onCanvas(event) && paste(event.clipboardData?.getData("text/plain") ?? "", shift)) event.preventDefault();
    };
    window.addEventListener("keydown", keys, true);
    window.addEventListener("copy", onCopy);
    window.addEventListener("cut", onCopy);
    window.addEventListener("paste", onPaste);
    return () => {
      window.removeEventListener("keydown", keys, true);
      window.removeEventListener("copy", onCopy);
      window.removeEventListener("cut", onCopy);
      window.removeEventListener("paste", onPaste);
    };
  }, [view, readOnly, copy, paste, remove]);

  return (
    <div className="screen">
      <TopBar
        view={view}
        readOnly={readOnly}
        onView={(next) => void navigate({ search: (now) => ({ ...now, view: next === "code" ? "code" : undefined }) })}
        onRun={start}
        onStop={() => void stop()}
        onClear={clear}
        onPublish={() => setPublishing(true)}
      />
      <div className="workbench">
        <main className="workbench-main" id="content" aria-label={t.editor.canvasLabel(document.steps.length)}>
          {view === "code" ? (
            <CodeTab readOnly={readOnly} />
          ) : (
            <div className="relative min-h-0">
              <EditorCanvas ref={canvas} mode={mode} readOnly={readOnly} showMinimap={minimap} marked={marked} connecting={connecting?.from ?? null} candidate={connecting?.candidates[connecting.index] ?? null} />
              {outline && <Outline onGo={goTo} />}
              {document.steps.length === 0 && (
                <div className="canvas-empty">
                  <Empty
                    title={t.editor.emptyTitle}
                    actions={
                      <Button kind="primary" onClick={() => canvas.current?.quickAdd()}>
                        {t.editor.addStep}
                      </Button>
                    }
                  >
                    {t.editor.empty}
                  </Empty>
                </div>
              )}
              {connecting && (
                <div className="float connect-bar" role="status">
                  {t.node.connectFrom(findStep(document, connecting.from)?.name ?? connecting.from)}
                </div>
              )}
              {find !== null && (
                <div className="float findbar" role="search">
                  <Search className="icon sm" aria-hidden="true" />
                  <input
                    autoFocus
                    aria-label={t.editor.find}
                    placeholder={t.editor.find}
                    value={find}
                    onChange={(event) => {
                      setFind(event.target.value);
                      setFindIndex(0);
                    }}
                    onKeyDown={(event) => {
                      if (event.key === "Enter") findNext();
                      if (event.key === "Escape") setFind(null);
                    }}
                  />
                  <span className="t3" role="status">
                    {find === "" ? "" : found.length === 0 ? t.editor.findNone : String(found.length)}
                  </span>
                  <Button kind="quiet" size="sm" icon label={t.app.close} onClick={() => setFind(null)}>
                    <X className="icon xs" aria-hidden="true" />
                  </Button>
                </div>
              )}
              <Toolbar canvas={canvas} mode={mode} onMode={setMode} readOnly={readOnly} onOutline={() => setOutline(!outline)} outline={outline} />
              {readOnly && <p className="narrow-hint">{t.editor.tooNarrow}</p>}
            </div>
          )}
          <ProblemStrip current={problem} onGo={showProblem} onNext={() => goToProblem(1)} />
        </main>
        <Dock saver={saver} readOnly={readOnly} menu={menu} onRunOnly={(step) => start({ partial: { mode: "only", step } })} />
      </div>
      <PublishDialog open={publishing} saver={saver} onClose={() => setPublishing(false)} onProblem={() => problems[0] && showProblem(problems[0], 0)} />
      {wish && (
        <RunDialog
          document={document}
          wish={wish}
          lastInput={lastInput.current}
          planFor={plan}
          onPlan={(made) => editor.setState({ plan: made })}
          onRun={async (full) => {
            await run(full);
            lastInput.current = full.input;
          }}
          onClose={() => setWish(null)}
        />
      )}
      <ConflictDialog saver={saver} />
    </div>
  );
}

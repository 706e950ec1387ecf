/** Everything the keyboard, the menus and the palette can do in the designer. */
import { useMemo, type RefObject } from "react";

import { stepHeight, stepSize, stepWidth, shownPorts, wiredPorts } from "../../graph/anatomy";
import { copySteps, pasteClip, readClip } from "../../graph/clipboard";
import { downstreamOf, findStep, parseEdgeId, upstreamOf, type Json, type Point } from "../../graph/document";
import { disconnect, keepPositions, moveTo, pin, removeSteps, toggleDisabled } from "../../graph/edits";
import { align, type Alignment, type Box } from "../../graph/layout";
import { neighbour, type Direction } from "../../graph/navigate";
import { useCommands } from "../../lib/hooks";
import type { Command } from "../../lib/shortcuts";
import { t } from "../../text";
import type { MenuItem } from "../../ui/controls";
import { toast } from "../../ui/toast";
import { isTruncated } from "../executions/large";
import type { CanvasHandle, Mode } from "./canvas";
import { focusNode } from "./focus_node";
import type { Editor } from "./store";
import { positionsFor, useTypes } from "./use_view";

export type DesignerActions = {
  editor: Editor;
  canvas: RefObject<CanvasHandle | null>;
  readOnly: boolean;
  setMode: (mode: Mode) => void;
  toggleMinimap: () => void;
  toggleOutline: () => void;
  openFind: () => void;
  findNext: () => void;
  startConnect: (id: string) => void;
  run: (wish: { partial?: { mode: "to" | "only" | "from"; step: string } }) => void;
  stop: () => void;
  save: () => void;
  publish: () => void;
  view: (name: "canvas" | "code") => void;
  nextProblem: (direction: 1 | -1) => void;
};


export function useDesignerCommands(actions: DesignerActions): { menu: (id: string) => MenuItem[]; paste: (text: string, keepOutside: boolean) => boolean; copy: () => string | null; remove: (reconnect: boolean) => void } {
  const { editor, canvas, readOnly } = actions;
  const types = useTypes();
  const state = () => editor.getState();
  const chosen = (): string[] => [...state().selection];
  const one = (): string | null => {
    const steps = chosen().filter((id) => findStep(state().history.document, id));
    return steps.length === 1 ? steps[0]! : null;
  };

  const api = useMemo(() => {
    const remove = (reconnect: boolean): void => {
      const { selection, edges, history } = state();
      const cut = [...edges].flatMap((id) => parseEdgeId(id) ?? []);
      if (selection.size > 0) {
        const next = [...selection].map((id) => neighbour(history.document, positionsFor(history.document), id, "left")).find((id) => id !== null && !selection.has(id)) ?? null;
        editor.edit(t.labels.remove(selection.size), removeSteps(selection, reconnect));
        editor.select(next ? [next] : []);
        if (next) focusNode(next);
      } else if (cut.length > 0) editor.edit(t.labels.disconnect, disconnect(cut));
    };
    const copy = (): string | null => {
      const { selection, history } = state();
      return selection.size === 0 ? null : copySteps(history.document, positionsFor(history.document), selection);
    };
    const paste = (text: string, keepOutside: boolean): boolean => {
      const clip = readClip(text);
      if (!clip) return false;
      const { document } = state().history;
      const { recipe, ids } = pasteClip(clip, document, canvas.current?.middle() ?? [0, 0], keepOutside);
      const keep = keepPositions(positionsFor(document));
      editor.edit(t.labels.paste(ids.length), (draft) => {
        keep(draft);
        recipe(draft);
      });
      editor.select(ids);
      return true;
    };
    const duplicate = (): void => {
      const text = copy();
      const clip = text ? readClip(text) : null;
      if (!clip) return;
      const { document } = state().history;
      const spots = Object.values(clip.positions);
      const middle: Point = [
        (Math.min(...spots.map(([x]) => x)) + Math.max(...spots.map(([x]) => x))) / 2 + 32,
        (Math.min(...spots.map(([, y]) => y)) + Math.max(...spots.map(([, y]) => y))) / 2 + 80,
      ];
      const { recipe, ids } = pasteClip(clip, document, middle, true);
      editor.edit(t.labels.duplicate(ids.length), recipe);
      editor.select(ids);
    };
    const togglePin = (id: string): void => {
      const { history, execution } = state();
      if (history.document.ui?.pins?.[id] !== undefined) {
        editor.edit(t.labels.unpin, pin(id, undefined));
        return;
      }
      const task = execution?.tasks.find((candidate) => candidate.step === id && candidate.status === "completed" && candidate.index === null && !isTruncated(candidate.result));
      if (task) editor.edit(t.labels.pin, pin(id, task.result as Json));
      else editor.openStep(id, "output");
    };
    return { remove, copy, paste, duplicate, togglePin };
  }, [editor, canvas]);

  const move = (dx: number, dy: number): void => {
    const { document } = state().history;
    const positions = positionsFor(document);
    const moved = new Map(chosen().flatMap((id): [string, Point][] => {
      const note = id.startsWith("note:") ? document.ui?.notes?.find((other) => `note:${other.id}` === id) : undefined;
      const at = note ? ([note.x, note.y] as Point) : positions.get(id);
      return at ? [[id, [at[0] + dx, at[1] + dy]]] : [];
    }));
    if (moved.size === 0) return;
    const keep = keepPositions(positions);
    editor.edit(
      t.labels.move(moved.size),
      (draft) => {
        keep(draft);
        moveTo(moved)(draft);
      },
      `nudge/${[...moved.keys()].join()}`,
    );
  };
  const go = (direction: Direction): void => {
    const { document } = state().history;
    const from = chosen()[0] ?? document.steps[0]?.id;
    if (!from) return;
    const next = chosen().length === 0 ? from : neighbour(document, positionsFor(document), from, direction);
    if (!next) return;
    editor.select([next]);
    canvas.current?.centerOn(next);
    focusNode(next);
  };
  const alignChosen = (how: Alignment): void => {
    const { document } = state().history;
    const positions = positionsFor(document);
    const wired = wiredPorts(document);
    const boxes = chosen().flatMap((id): Box[] => {
      const at = positions.get(id);
      const step = findStep(document, id);
      if (!at) return [];
      const size = step ? stepSize(shownPorts(step, types.get(step.step_type), wired.get(id)).length) : { width: stepWidth, height: stepHeight };
      return [{ id, x: at[0], y: at[1], ...size }];
    });
    if (boxes.length > 1) editor.edit(t.labels.align, moveTo(align(boxes, how)));
  };
  const spread = (pick: (id: string) => Set<string>): void => {
    const id = one();
    if (id) editor.select([id, ...pick(id)]);
  };

  const g = t.shortcutGroups;
  const canEdit = (): boolean => !readOnly;
  const hasChoice = (): boolean => state().selection.size > 0 || state().edges.size > 0;
  const edit = (id: string, title: string, keys: string[], run: () => void, enabled: () => boolean = () => true): Command => ({ id, title, group: g.edit, keys, scope: "canvas", run, enabled: () => canEdit() && enabled() });
  const onStep = (id: string, title: string, keys: string[], run: (step: string) => void): Command => ({ id, title, group: g.step, keys, scope: "canvas", run: () => run(one()!), enabled: () => canEdit() && one() !== null });
  const view = (id: string, title: string, keys: string[], run: () => void): Command => ({ id, title, group: g.view, keys, scope: "canvas", run });
  const arrows: [string, Direction, number, number][] = [["ArrowLeft", "left", -1, 0], ["ArrowRight", "right", 1, 0], ["ArrowUp", "up", 0, -1], ["ArrowDown", "down", 0, 1]];
  const alignments: [string, Alignment][] = [["L", "left"], ["R", "right"], ["T", "top"], ["B", "bottom"], ["C", "centre"], ["M", "middle"], ["H", "horizontal"], ["V", "vertical"]];

  useCommands([
    { id: "file.save", title: t.editor.saved, group: g.file, keys: ["Mod+S"], scope: "global", run: actions.save },
    { id: "file.publish", title: t.editor.publish, group: g.file, keys: ["Mod+Shift+S"], scope: "global", run: actions.publish, enabled: canEdit },
    { id: "run.all", title: t.editor.runDraft, group: g.file, keys: ["Mod+Enter"], scope: "global", run: () => actions.run({}) },
    { id: "run.to", title: t.editor.runTo, group: g.file, keys: ["Mod+Shift+Enter"], scope: "global", run: () => actions.run({ partial: { mode: "to", step: one()! } }), enabled: () => one() !== null },
    { id: "run.only", title: t.editor.runOnly, group: g.file, keys: ["Alt+Enter"], scope: "global", run: () => actions.run({ partial: { mode: "only", step: one()! } }), enabled: () => one() !== null },
    { id: "run.from", title: t.editor.runFrom, group: g.file, scope: "global", run: () => actions.run({ partial: { mode: "from", step: one()! } }), enabled: () => one() !== null },
    { id: "run.stop", title: t.editor.stop, group: g.file, keys: ["Mod+."], scope: "global", run: actions.stop, enabled: () => state().executionId !== null },
    { id: "file.versions", title: t.versions.title, group: g.file, keys: ["Mod+Shift+H"], scope: "global", run: () => editor.setState({ dockOpen: true, dockTab: "versions" }) },
    { id: "file.code", title: t.editor.code, group: g.file, keys: ["Mod+E"], scope: "global", run: () => actions.view("code") },
    { id: "edit.undo", title: t.editor.undo(""), group: g.edit, keys: ["Mod+Z"], scope: "canvas", run: editor.undo, enabled: canEdit },
    { id: "edit.redo", title: t.editor.redo(""), group: g.edit, keys: ["Mod+Shift+Z", "Mod+Y"], scope: "canvas", run: editor.redo, enabled: canEdit },
    edit("edit.all", t.shortcuts.selectAll, ["Mod+A"], () => editor.select(state().history.document.steps.map((step) => step.id))),
    edit("edit.duplicate", t.editor.duplicate, ["Mod+D"], api.duplicate, hasChoice),
    edit("edit.delete", t.shortcuts.delete, ["Delete", "Backspace"], () => api.remove(true), hasChoice),
    edit("edit.deleteBreak", t.shortcuts.deleteBreak, ["Shift+Delete", "Shift+Backspace"], () => api.remove(false), hasChoice),
    edit("edit.leave", t.shortcuts.unselect, ["Escape"], () => (state().plan ? editor.setState({ plan: null }) : editor.select([])), hasChoice),
    { id: "step.add", title: t.editor.addStep, group: g.step, keys: ["N"], scope: "canvas", run: () => canvas.current?.quickAdd(), enabled: canEdit },
    onStep("step.addAfter", t.shortcuts.addAfter, ["Tab"], (id) => canvas.current?.quickAddAfter(id)),
    onStep("step.open", t.shortcuts.open, ["Enter"], (id) => {
      editor.openStep(id, "parameters");
      requestAnimationFrame(() => document.querySelector<HTMLElement>(".dock .form input, .dock .form [data-code], .dock .form select, .dock .form textarea")?.focus());
    }),
    onStep("step.rename", t.shortcuts.rename, ["F2", "Space"], () => {
      editor.setState({ dockOpen: true, dockTab: "step" });
      requestAnimationFrame(() => document.querySelector<HTMLInputElement>(".dock .name-input")?.select());
    }),
    onStep("step.replace", t.shortcuts.replace, ["R"], (id) => canvas.current?.quickReplace(id)),
    { id: "step.disable", title: t.shortcuts.disable, group: g.step, keys: ["D"], scope: "canvas", run: () => editor.edit(t.labels.disable, toggleDisabled(chosen())), enabled: () => canEdit() && state().selection.size > 0 },
    onStep("step.pin", t.data.pin, ["P"], api.togglePin),
    onStep("step.output", t.panel.output, ["O"], (id) => editor.openStep(id, "output")),
    onStep("step.parameters", t.panel.parameters, ["I"], (id) => editor.openStep(id, "parameters")),
    { id: "step.logs", title: t.editor.tabLogs, group: g.step, keys: ["L"], scope: "canvas", run: () => editor.setState({ dockOpen: true, dockTab: "logs" }) },
    { id: "step.note", title: t.editor.addNote, group: g.step, keys: ["Shift+S"], scope: "canvas", run: () => canvas.current?.addNote(), enabled: canEdit },
    { ...onStep("connect.start", t.shortcuts.connect, ["C"], actions.startConnect), group: g.connect },
    { ...onStep("connect.break", t.shortcuts.disconnect, ["Shift+C"], (id) => editor.edit(t.labels.disconnect, disconnect((findStep(state().history.document, id)?.depends_on ?? []).map((entry) => (typeof entry === "string" ? { source: entry, port: null, target: id } : { source: entry.step, port: entry.when ?? null, target: id }))))), group: g.connect },
    ...arrows.flatMap(([key, direction, dx, dy]): Command[] => [
      { id: `go.${direction}`, title: "", group: g.move, keys: [key], scope: "canvas", run: () => go(direction) },
      { id: `nudge.${direction}`, title: "", group: g.move, keys: [`Mod+${key}`], scope: "canvas", run: () => move(dx * 16, dy * 16), enabled: () => canEdit() && hasChoice() },
      { id: `nudge1.${direction}`, title: "", group: g.move, keys: [`Mod+Shift+${key}`], scope: "canvas", run: () => move(dx, dy), enabled: () => canEdit() && hasChoice() },
    ]),
    { id: "select.upstream", title: t.shortcuts.selectUpstream, group: g.move, keys: ["Shift+ArrowLeft"], scope: "canvas", run: () => spread((id) => upstreamOf(state().history.document, id)) },
    { id: "select.downstream", title: t.shortcuts.selectDownstream, group: g.move, keys: ["Shift+ArrowRight"], scope: "canvas", run: () => spread((id) => downstreamOf(state().history.document, id)) },
    ...alignments.map(([key, how]): Command => ({ id: `align.${how}`, title: t.shortcuts.align[how], group: g.move, keys: [`Alt+A ${key}`], scope: "canvas", run: () => alignChosen(how), enabled: () => canEdit() && state().selection.size > 1 })),
    view("view.100", t.editor.zoomTo100, ["0"], () => canvas.current?.zoom(1)),
    view("view.fit", t.editor.fit, ["1"], () => canvas.current?.fit()),
    view("view.selection", t.editor.fitSelection, ["2"], () => canvas.current?.fitSelection()),
    view("view.in", t.editor.zoomIn, ["+", "="], () => canvas.current?.zoom("in")),
    view("view.out", t.editor.zoomOut, ["-"], () => canvas.current?.zoom("out")),
    view("view.pan", t.editor.pan, ["H"], () => actions.setMode("pan")),
    view("view.select", t.editor.select, ["V"], () => actions.setMode("select")),
    view("view.minimap", t.editor.minimap, ["M"], actions.toggleMinimap),
    { ...view("view.heat", t.editor.heat, ["Shift+H"], () => editor.setState({ heat: !state().heat })), enabled: () => state().execution !== null },
    view("view.outline", t.editor.outline, ["Shift+O"], actions.toggleOutline),
    { ...view("view.tidy", t.editor.tidy, ["Alt+Shift+T"], () => void canvas.current?.tidy()), enabled: canEdit },
    { id: "view.find", title: t.editor.find, group: g.view, keys: ["Mod+F"], scope: "global", run: actions.openFind },
    { id: "view.findNext", title: t.shortcuts.findNext, group: g.view, keys: ["F3"], scope: "global", run: actions.findNext },
    { id: "view.problem", title: t.editor.nextProblem, group: g.view, keys: ["F8"], scope: "global", run: () => actions.nextProblem(1) },
    { id: "view.problemBack", title: t.editor.previousProblem, group: g.view, keys: ["Shift+F8"], scope: "global", run: () => actions.nextProblem(-1) },
  ]);

  const menu = (id: string): MenuItem[] => [
    { text: t.editor.runTo, keys: "Mod+Shift+Enter", onSelect: () => actions.run({ partial: { mode: "to", step: id } }) },
    { text: t.editor.runOnly, keys: "Alt+Enter", onSelect: () => actions.run({ partial: { mode: "only", step: id } }) },
    { text: t.editor.runFrom, onSelect: () => actions.run({ partial: { mode: "from", step: id } }) },
    "separator",
    { text: t.shortcuts.addAfter, keys: "Tab", onSelect: () => canvas.current?.quickAddAfter(id) },
    { text: t.shortcuts.replace, keys: "R", onSelect: () => canvas.current?.quickReplace(id) },
    { text: t.editor.duplicate, keys: "Mod+D", onSelect: api.duplicate },
    {
      text: t.editor.copyText,
      keys: "Mod+C",
      onSelect: () => {
        const text = api.copy();
        if (text) void navigator.clipboard.writeText(text).then(() => toast(t.app.copied));
      },
    },
    { text: t.shortcuts.disable, keys: "D", onSelect: () => editor.edit(t.labels.disable, toggleDisabled([id])) },
    { text: t.data.pin, keys: "P", onSelect: () => api.togglePin(id) },
    "separator",
    { text: t.shortcuts.delete, keys: "Delete", danger: true, onSelect: () => api.remove(true) },
  ];
  return { menu, paste: api.paste, copy: api.copy, remove: api.remove };
}

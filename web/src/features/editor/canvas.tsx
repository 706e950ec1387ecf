/** The canvas of the designer: React Flow for what is near, our own drawing for what is far, and every gesture an edit with a name. */
import { Background, ReactFlow, useReactFlow, useStore, type Connection, type EdgeChange, type NodeChange, type OnConnectEnd } from "@xyflow/react";
import { useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState, type Ref } from "react";

import type { TaskType } from "../../api/client";
import { columnPitch, hasPlainOutput, namedPorts, stepHeight, stepWidth } from "../../graph/anatomy";
import { findStep, freeStepId, downstreamOf, parseEdgeId, stepIds, wouldCycle, type Edge, type Json, type Point, type Step } from "../../graph/document";
import { addNote, addStep, connect, disconnect, insertOnEdge, keepPositions, moveTo, placeAfter, setNote, snap } from "../../graph/edits";
import { t } from "../../text";
import { CanvasActionsProvider, edgeButtonsFrom, EdgeButtonsProvider, type CanvasActions } from "../canvas/actions";
import { boundsOf, type CanvasEdge, type CanvasNode } from "../canvas/derive";
import { FarLayer, isFar } from "../canvas/far_layer";
import { Minimap } from "../canvas/minimap";
import { nodeTypes } from "../canvas/nodes";
import { edgeTypes } from "../canvas/wire";
import { focusNode } from "./focus_node";
import { addTriggerOf, type TriggerKind } from "./add_trigger";
import { QuickAdd } from "./quick_add";
import { useEditor, useEditorState } from "./store";
import { prepareTidy, tidy } from "./tidy";
import { positionsFor, useTypes, useView } from "./use_view";

export type Mode = "select" | "pan";
type Quick = { title: string; x: number; y: number; at: Point; from?: { source: string; port: string | null }; edge?: Edge; replace?: string };

export type CanvasHandle = {
  fit: () => void;
  fitSelection: () => void;
  zoom: (factor: number | "in" | "out") => void;
  centerOn: (id: string) => void;
  quickAdd: () => void;
  quickAddAfter: (id: string) => void;
  quickReplace: (id: string) => void;
  addNote: () => void;
  tidy: () => Promise<void>;
  middle: () => Point;
  editNote: (id: string) => void;
};

type Props = { ref: Ref<CanvasHandle>; mode: Mode; readOnly: boolean; showMinimap: boolean; marked: ReadonlySet<string>; connecting: string | null; candidate: string | null };

export function EditorCanvas({ ref, mode, readOnly, showMinimap, marked, connecting, candidate }: Props) {
  const editor = useEditor();
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const types = useTypes();
  const [moved, setMoved] = useState<Map<string, Point> | null>(null);
  const [quick, setQuick] = useState<Quick | null>(null);
  const [editingNote, editNote] = useState<string | null>(null);
  const { nodes, edges } = useView(moved, readOnly);
  const zoom = useStore((state) => state.transform[2]);
  const wasFar = useRef(false);
  const far = isFar(wasFar.current, zoom);
  wasFar.current = far;
  // Coming near, the steps are mounted a few hundred a frame, below the drawing that shows them all.
  const [mounted, setMounted] = useState(0);
  useEffect(() => {
    if (far) setMounted(0);
    else if (mounted !== Infinity) {
      const frame = requestAnimationFrame(() => setMounted((count) => (count + mountedAtOnce >= nodes.length ? Infinity : count + mountedAtOnce)));
      return () => cancelAnimationFrame(frame);
    }
  }, [far, mounted, nodes.length]);
  const arriving = !far && mounted < nodes.length;
  const near = useMemo(() => (far ? noNodes : arriving ? nodes.slice(0, mounted) : nodes), [far, arriving, mounted, nodes]);
  const area = useRef<HTMLDivElement>(null);
  const pressed = useRef(false);
  const latest = useRef({ nodes, edges });
  latest.current = { nodes, edges };
  const busy = useEditorState((state) => state.execution !== null && state.history.document.steps.length > 200);

  /** Where on the page's canvas a point of the graph is, kept inside so that the list can be read. */
  const screenSpot = useCallback(
    (x: number, y: number): { x: number; y: number } => {
      const box = area.current!.getBoundingClientRect();
      const at = flow.flowToScreenPosition({ x, y });
      return { x: Math.max(8, Math.min(at.x - box.left, box.width - 300)), y: Math.max(8, Math.min(at.y - box.top, box.height - 400)) };
    },
    [flow],
  );
  const middle = useCallback((): Point => {
    const box = area.current!.getBoundingClientRect();
    const at = flow.screenToFlowPosition({ x: box.left + box.width / 2, y: box.top + box.height / 2 });
    return [at.x, at.y];
  }, [flow]);

  /** A step of this type with a free id, as the palette's defaults have it. */
  const makeStep = useCallback(
    (type: TaskType): Step => {
      const { document } = editor.getState().history;
      const id = freeStepId(stepIds(document), type.type.split(".").at(-1)!);
      const config = structuredClone(type.defaults) as { [name: string]: Json };
      return { id, name: type.title, step_type: type.type, ...(Object.keys(config).length > 0 ? { config } : {}) };
    },
    [editor],
  );

  const choose = useCallback(
    (type: TaskType) => {
      if (!quick) return;
      setQuick(null);
      const { document } = editor.getState().history;
      const positions = positionsFor(document);
      const keep = keepPositions(positions);
      if (quick.replace) {
        const id = quick.replace;
        editor.edit(t.labels.replaceStep(type.title), (draft) => {
          const step = findStep(draft, id);
          if (!step) return;
          const old = types.get(step.step_type);
          if (step.name === undefined || step.name === old?.title) step.name = type.title;
          step.step_type = type.type;
          step.config = structuredClone(type.defaults) as { [name: string]: Json };
          if (Object.keys(step.config).length === 0) delete step.config;
        });
        editor.openStep(id, "parameters");
        return;
      }
      const step = makeStep(type);
      if (quick.edge) {
        const edge = quick.edge;
        const target = positions.get(edge.target) ?? [0, 0];
        const source = positions.get(edge.source) ?? [0, 0];
        const room = target[0] - source[0] >= 2 * columnPitch - 32;
        const at: Point = room ? [snap((source[0] + target[0]) / 2), snap((source[1] + target[1]) / 2)] : [target[0], target[1]];
        const shift = room ? [] : [edge.target, ...downstreamOf(document, edge.target)];
        const out = hasPlainOutput(step, type) ? null : (namedPorts(step, type)[0] ?? null);
        editor.edit(t.labels.insert(type.title), (draft) => {
          keep(draft);
          insertOnEdge(step, edge, at, out, shift)(draft);
        });
      } else {
        editor.edit(t.labels.addStep(type.title), (draft) => {
          keep(draft);
          addStep(step, quick.at, quick.from)(draft);
        });
      }
      editor.openStep(step.id, "parameters");
      // What was added is in view and has the focus: the keyboard goes on from there.
      const [x, y] = quick.edge ? (positionsFor(editor.getState().history.document).get(step.id) ?? [0, 0]) : quick.at;
      const box = area.current!.getBoundingClientRect();
      const at = flow.flowToScreenPosition({ x: x + stepWidth / 2, y: y + stepHeight / 2 });
      if (at.x < box.left + 80 || at.x > box.right - 80 || at.y < box.top + 40 || at.y > box.bottom - 100) void flow.setCenter(x, y, { zoom: flow.getZoom(), duration: motion(240) });
      focusNode(step.id);
    },
    [editor, flow, makeStep, quick, types],
  );
  const chooseTrigger = useCallback(
    (kind: TriggerKind) => {
      setQuick(null);
      addTriggerOf(editor, kind);
    },
    [editor],
  );

  const onNodesChange = useCallback(
    (changes: NodeChange<CanvasNode>[]) => {
      const selection = new Set(editor.getState().selection);
      let selected = false;
      let positions: Map<string, Point> | null = null;
      for (const change of changes) {
        if (change.type === "select") {
          selected = true;
          if (change.selected) selection.add(change.id);
          else selection.delete(change.id);
        } else if (change.type === "position" && change.position && change.dragging) {
          (positions ??= new Map(moved ?? [])).set(change.id, [change.position.x, change.position.y]);
        }
      }
      if (positions) setMoved(positions);
      if (selected) {
        editor.select(selection, editor.getState().edges);
        if (selection.size === 1) editor.setState((state) => (state.dockTab === "versions" ? { dockTab: "step" } : state));
      }
    },
    [editor, moved],
  );
  const onEdgesChange = useCallback(
    (changes: EdgeChange<CanvasEdge>[]) => {
      const chosen = new Set(editor.getState().edges);
      for (const change of changes)
        if (change.type === "select") {
          if (change.selected) chosen.add(change.id);
          else chosen.delete(change.id);
        }
      editor.setState({ edges: chosen });
    },
    [editor],
  );
  const onDragStop = useCallback(() => {
    if (!moved) return;
    const snapped = new Map([...moved].map(([id, [x, y]]): [string, Point] => [id, [snap(x), snap(y)]]));
    const keep = keepPositions(positionsFor(editor.getState().history.document));
    editor.edit(t.labels.move(moved.size), (draft) => {
      keep(draft);
      moveTo(snapped)(draft);
    });
    // A single step dropped on an edge is put into it.
    const [only] = snapped.size === 1 ? [...snapped.keys()] : [];
    if (only) dropOnEdge(only);
    setMoved(null);
  }, [editor, moved]);

  const dropOnEdge = (id: string): void => {
    const { document } = editor.getState().history;
    const step = findStep(document, id);
    if (!step || (step.depends_on ?? []).length > 0 || downstreamOf(document, id).size > 0) return;
    const box = area.current!.querySelector<HTMLElement>(`.react-flow__node[data-id="${id}"]`)?.getBoundingClientRect();
    if (!box) return;
    const under = document.steps.length > 1 ? edgeUnder(box.left + box.width / 2, box.top + 24) : null;
    if (!under || under.source === id || under.target === id) return;
    const type = types.get(step.step_type);
    const out = type && !hasPlainOutput(step, type) ? (namedPorts(step, type)[0] ?? null) : null;
    const at = positionsFor(document).get(id) ?? [0, 0];
    editor.edit(t.labels.insert(step.name ?? id), insertOnEdge(step, under, at, out, []));
  };
  const edgeUnder = (x: number, y: number): Edge | null => {
    for (const element of globalThis.document.elementsFromPoint(x, y)) {
      const found = element.closest<SVGElement>(".react-flow__edge")?.getAttribute("data-id");
      if (found) return parseEdgeId(found);
    }
    return null;
  };

  const toEdge = (connection: Connection | { source: string; target: string; sourceHandle?: string | null }): Edge => ({
    source: connection.source,
    port: connection.sourceHandle?.startsWith("port:") ? connection.sourceHandle.slice(5) : null,
    target: connection.target,
  });
  const isValid = useCallback(
    (connection: Connection | CanvasEdge): boolean => {
      const { document } = editor.getState().history;
      return !connection.source.startsWith("trigger:") && !wouldCycle(document, connection.source, connection.target);
    },
    [editor],
  );
  const onConnect = useCallback(
    (connection: Connection) => {
      const { document } = editor.getState().history;
      const edge = toEdge(connection);
      editor.edit(t.labels.connect(findStep(document, edge.source)?.name ?? edge.source, findStep(document, edge.target)?.name ?? edge.target), connect(edge));
    },
    [editor],
  );
  const onConnectEnd: OnConnectEnd = useCallback(
    (event, state) => {
      if (state.isValid || state.toNode || !state.fromNode || state.fromHandle?.type !== "source") return;
      const point = "changedTouches" in event ? event.changedTouches[0]! : event;
      const at = flow.screenToFlowPosition({ x: point.clientX, y: point.clientY });
      const source = state.fromNode.id;
      const port = state.fromHandle.id?.startsWith("port:") ? state.fromHandle.id.slice(5) : null;
      const name = findStep(editor.getState().history.document, source)?.name ?? source;
      const trigger = source.startsWith("trigger:");
      setQuick({ title: trigger ? t.quick.anywhere : t.quick.after(name), ...screenSpot(at.x, at.y), at: [at.x, at.y - stepHeight / 2], ...(trigger ? {} : { from: { source, port } }) });
    },
    [editor, flow, screenSpot],
  );
  const onReconnect = useCallback(
    (old: CanvasEdge, connection: Connection) => {
      const before = parseEdgeId(old.id);
      if (!before) return;
      editor.edit(t.labels.reconnect, (draft) => {
        disconnect([before])(draft);
        connect(toEdge(connection))(draft);
      });
    },
    [editor],
  );

  /** The whole graph in view, never larger than life. */
  const frameAll = useCallback(
    (duration: number) => {
      const bounds = boundsOf(latest.current.nodes);
      const box = area.current!.getBoundingClientRect();
      const scale = Math.max(0.05, Math.min(1, (box.width - 96) / Math.max(1, bounds.width), (box.height - 160) / Math.max(1, bounds.height)));
      const x = (box.width - bounds.width * scale) / 2 - bounds.x * scale;
      const y = (box.height - 64 - bounds.height * scale) / 2 - bounds.y * scale;
      void flow.setViewport({ zoom: scale, x, y }, { duration: motion(duration) });
    },
    [flow],
  );

  useImperativeHandle(
    ref,
    (): CanvasHandle => {
      const openAfter = (id: string): void => {
        const { document } = editor.getState().history;
        const at = placeAfter(document, positionsFor(document), id);
        const step = findStep(document, id);
        const type = step ? types.get(step.step_type) : undefined;
        const port = step && !hasPlainOutput(step, type) ? (namedPorts(step, type)[0] ?? null) : null;
        setQuick({ title: t.quick.after(step?.name ?? id), ...screenSpot(at[0], at[1]), at, ...(step ? { from: { source: id, port } } : {}) });
      };
      return {
        fit: () => frameAll(320),
        fitSelection: () => {
          const chosen = latest.current.nodes.filter((node) => node.selected);
          if (chosen.length > 0) void flow.fitBounds(boundsOf(chosen), { padding: 0.3, duration: motion(320) });
        },
        zoom: (factor) => void (factor === "in" ? flow.zoomIn() : factor === "out" ? flow.zoomOut() : flow.zoomTo(factor, { duration: motion(140) })),
        centerOn: (id) => {
          const node = latest.current.nodes.find((other) => other.id === id);
          if (node) void flow.setCenter(node.position.x + stepWidth / 2, node.position.y + stepHeight / 2, { zoom: Math.max(flow.getZoom(), 0.7), duration: motion(240) });
        },
        quickAdd: () => {
          const [only] = editor.getState().selection.size === 1 ? [...editor.getState().selection] : [];
          if (only && findStep(editor.getState().history.document, only)) {
            openAfter(only);
            return;
          }
          const at = middle();
          setQuick({ title: t.quick.anywhere, ...screenSpot(at[0], at[1]), at: [at[0] - stepWidth / 2, at[1] - stepHeight / 2] });
        },
        quickAddAfter: openAfter,
        quickReplace: (id) => {
          const { document } = editor.getState().history;
          const at = positionsFor(document).get(id) ?? [0, 0];
          setQuick({ title: t.quick.replace(findStep(document, id)?.name ?? id), ...screenSpot(at[0], at[1] + stepHeight + 8), at, replace: id });
        },
        addNote: () => {
          const [x, y] = middle();
          const id = crypto.randomUUID().slice(0, 8);
          editor.edit(t.labels.addNote, addNote({ id, text: "", x: snap(x - 128), y: snap(y - 48), width: 256, height: 96 }));
          editor.select([`note:${id}`]);
          editNote(id);
        },
        tidy: async () => {
          const { history, selection } = editor.getState();
          const only = selection.size > 1 ? selection : null;
          const placed = await tidy(history.document, types, positionsFor(history.document), only);
          editor.edit(t.labels.tidy, moveTo(placed));
          if (!only) requestAnimationFrame(() => frameAll(320));
        },
        middle,
        editNote,
      };
    },
    [editor, flow, frameAll, middle, screenSpot, types],
  );

  const actions = useMemo(
    (): CanvasActions => ({
      marked,
      connecting,
      candidate,
      editingNote,
      editNote,
      setNote: (id, text, size) => {
        editNote(null);
        editor.edit(t.labels.editNote, setNote(id, { ...(text === undefined ? {} : { text }), ...(size ? { width: size[0], height: size[1] } : {}) }));
      },
      insertOn: (edge, x, y) => setQuick({ title: t.quick.before(`${edge.source} – ${edge.target}`), ...screenSpot(x, y), at: [x, y], edge }),
    }),
    [marked, connecting, candidate, editingNote, editor, screenSpot],
  );

  // Whoever draws a large workflow tidies it up sooner or later: the worker takes a moment to get ready, and takes it while nothing else is to do.
  const isLarge = useEditorState((state) => state.history.document.steps.length > 200);
  useEffect(() => {
    if (!isLarge || readOnly) return;
    const timer = setTimeout(prepareTidy, 1500);
    return () => clearTimeout(timer);
  }, [isLarge, readOnly]);

  // The whole graph in view when first opened.
  const opened = useRef(false);
  const size = useStore((state) => state.width * state.height);
  useEffect(() => {
    if (opened.current || size === 0) return;
    opened.current = true;
    frameAll(0);
  }, [frameAll, size]);

  const chooseFar = useCallback(
    (id: string | null, add: boolean) => {
      if (id) editor.select(add ? new Set([...editor.getState().selection, id]) : [id]);
      else editor.select([]);
    },
    [editor],
  );
  const openFar = useCallback((id: string) => void flow.setCenter(...centre(latest.current.nodes, id), { zoom: 1, duration: motion(320) }), [flow]);

  return (
    <CanvasActionsProvider value={actions}>
      <div
        ref={area}
        className={`flow${mode === "pan" ? " is-pan" : ""}${busy ? " is-busy" : ""}`}
        data-scope="canvas"
        onPointerDownCapture={() => {
          pressed.current = true;
        }}
        onKeyDownCapture={() => {
          pressed.current = false;
        }}
        onPointerUpCapture={() => {
          pressed.current = false;
        }}
        onFocusCapture={(event) => {
          // What the keyboard stands on is what it acts on.
          const id = event.target.classList.contains("react-flow__node") && !pressed.current ? event.target.getAttribute("data-id") : null;
          if (id && !(editor.getState().selection.size === 1 && editor.getState().selection.has(id))) editor.select([id]);
        }}
        onDoubleClick={(event) => {
          if (readOnly || far || !(event.target as Element).classList.contains("react-flow__pane")) return;
          const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
          setQuick({ title: t.quick.anywhere, ...screenSpot(at.x, at.y), at: [at.x - stepWidth / 2, at.y - stepHeight / 2] });
        }}
      >
        <EdgeButtonsProvider value={zoom >= edgeButtonsFrom}>
          <ReactFlow<CanvasNode, CanvasEdge>
          nodes={near}
          edges={far || arriving ? noEdges : edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          onNodesChange={onNodesChange}
          onEdgesChange={onEdgesChange}
          onNodeDragStop={onDragStop}
          onSelectionDragStop={onDragStop}
          onConnect={onConnect}
          onConnectEnd={onConnectEnd}
          onReconnect={onReconnect}
          isValidConnection={isValid}
          onNodeDoubleClick={(_event, node) => node.data.kind === "step" && editor.openStep(node.id)}
          onPaneClick={() => {
            if (!far) editor.select([]);
          }}
          nodesDraggable={!readOnly}
          nodesConnectable={!readOnly}
          edgesReconnectable={!readOnly}
          onlyRenderVisibleElements
          disableKeyboardA11y
          deleteKeyCode={null}
          multiSelectionKeyCode={["Shift", "Meta", "Control"]}
          selectionOnDrag={mode === "select"}
          panOnDrag={mode === "select" ? [1, 2] : true}
          panOnScroll
          zoomOnDoubleClick={false}
          minZoom={0.05}
          maxZoom={2}
          snapToGrid
          snapGrid={snapGrid}
          connectionRadius={24}
          elevateNodesOnSelect={false}
        >
          {!far && <Background gap={16} size={1.25} color="var(--canvas-dot)" />}
          {(far || arriving) && <FarLayer nodes={nodes} edges={edges} onChoose={chooseFar} onOpen={openFar} />}
        </ReactFlow>
        </EdgeButtonsProvider>
        {showMinimap && <Minimap nodes={nodes} />}
        {quick && <QuickAdd {...quick} onChoose={choose} onTrigger={quick.from || quick.edge || quick.replace ? undefined : chooseTrigger} onClose={() => setQuick(null)} />}
      </div>
    </CanvasActionsProvider>
  );
}

const mountedAtOnce = 300;
const noNodes: CanvasNode[] = [];
const noEdges: CanvasEdge[] = [];
const snapGrid: [number, number] = [16, 16];

function motion(milliseconds: number): number {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : milliseconds;
}

function centre(nodes: readonly CanvasNode[], id: string): [number, number] {
  const node = nodes.find((other) => other.id === id);
  return node ? [node.position.x + stepWidth / 2, node.position.y + stepHeight / 2] : [0, 0];
}


/** The real canvas, read only: templates, executions, diffs. */
import { Background, ReactFlow, ReactFlowProvider, useReactFlow, useStore } from "@xyflow/react";
import { useEffect, useMemo, useRef, type ReactNode } from "react";

import type { TaskType } from "../../api/client";
import type { Point, WorkflowDocument } from "../../graph/document";
import { positionsOf } from "../../graph/layout";
import { useTypes } from "../editor/use_view";
import { CanvasActionsProvider, idleActions } from "./actions";
import { boundsOf, NodeFactory, type CanvasEdge, type CanvasNode, type Mark } from "./derive";
import { FarLayer, isFar } from "./far_layer";
import { Minimap } from "./minimap";
import { nodeTypes } from "./nodes";
import type { StepProgress } from "./progress";
import { edgeTypes } from "./wire";

type Props = {
  document: WorkflowDocument;
  label: string;
  progress?: ReadonlyMap<string, StepProgress> | null;
  plan?: ReadonlyMap<string, number | "reuse" | "skip"> | null;
  heat?: ReadonlyMap<string, number> | null;
  marks?: ReadonlyMap<string, Mark>;
  selected?: string | null;
  onSelect?: (id: string | null) => void;
  minimap?: boolean;
  preview?: boolean; // a picture of the canvas: nothing to press
  children?: ReactNode;
};

export function StaticCanvas(props: Props) {
  return (
    <ReactFlowProvider>
      <Inner {...props} />
    </ReactFlowProvider>
  );
}

const noProblems = new Map<string, number>();
const noMarks = new Map<string, Mark>();
const nothing = new Set<string>();
const noNodes: CanvasNode[] = [];
const noEdges: CanvasEdge[] = [];
const previewOptions = { zoomOnScroll: false, preventScrolling: false, panOnDrag: false, proOptions: { hideAttribution: true } };

function Inner({ document, label, progress = null, plan = null, heat = null, marks = noMarks, selected = null, onSelect, minimap = false, preview = false, children }: Props) {
  const types: ReadonlyMap<string, TaskType> = useTypes();
  const factory = useRef(new NodeFactory());
  const positions = useMemo((): ReadonlyMap<string, Point> => positionsOf(document), [document]);
  const selection = useMemo(() => new Set(selected ? [selected] : []), [selected]);
  const view = { document, positions, moved: null, types, selection, problems: noProblems, marks, progress, plan, heat, readOnly: true };
  const nodes = useMemo(() => factory.current.makeNodes(view), [document, positions, types, selection, marks, progress, plan, heat]);
  const edges = useMemo(() => factory.current.makeEdges(view, nothing), [document, types, progress, plan]);
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const zoom = useStore((state) => state.transform[2]);
  const [width, height] = [useStore((state) => state.width), useStore((state) => state.height)];
  const wasFar = useRef(false);
  const far = document.steps.length > 60 && isFar(wasFar.current, zoom);
  wasFar.current = far;
  const fitted = useRef<WorkflowDocument | null>(null);
  useEffect(() => {
    if (fitted.current === document || width === 0) return;
    fitted.current = document;
    const bounds = boundsOf(nodes);
    const scale = Math.max(0.05, Math.min(1, (width - 48) / Math.max(1, bounds.width), (height - 48) / Math.max(1, bounds.height)));
    void flow.setViewport({ zoom: scale, x: (width - bounds.width * scale) / 2 - bounds.x * scale, y: (height - bounds.height * scale) / 2 - bounds.y * scale });
  }, [flow, document, nodes, width, height]);
  const busy = document.steps.length > 200;
  return (
    <CanvasActionsProvider value={idleActions}>
      <div className={busy ? "flow is-busy" : "flow"} data-scope="canvas" role="region" aria-label={label}>
        <ReactFlow<CanvasNode, CanvasEdge>
          nodes={far ? noNodes : nodes}
          edges={far ? noEdges : edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          nodesDraggable={false}
          nodesConnectable={false}
          elementsSelectable={onSelect !== undefined}
          edgesFocusable={false}
          nodesFocusable={onSelect !== undefined}
          onNodeClick={(_event, node) => onSelect?.(node.id)}
          onPaneClick={() => onSelect?.(null)}
          onlyRenderVisibleElements
          disableKeyboardA11y
          deleteKeyCode={null}
          panOnScroll={!preview}
          zoomOnDoubleClick={false}
          minZoom={0.05}
          maxZoom={2}
          {...(preview ? previewOptions : {})}
          onKeyDown={(event) => {
            const id = (event.target as Element).closest?.(".react-flow__node")?.getAttribute("data-id");
            if (id && event.key === "Enter") onSelect?.(id);
          }}
        >
          {!far && <Background gap={16} size={1.25} color="var(--canvas-dot)" />}
          {far && <FarLayer nodes={nodes} edges={edges} onChoose={(id) => onSelect?.(id)} onOpen={(id) => onSelect?.(id)} />}
        </ReactFlow>
        {minimap && <Minimap nodes={nodes} />}
        {children}
      </div>
    </CanvasActionsProvider>
  );
}

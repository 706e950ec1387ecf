import { Background, ReactFlow, ReactFlowProvider } from "@xyflow/react";

import { boundsOf } from "../canvas/derive";
import { drawGraph, boxesOf, readPalette } from "../canvas/far_layer";
import { nodeTypes } from "../canvas/nodes";
import { edgeTypes } from "../canvas/wire";
import type { Drawing } from "./samples";

/** Steps and edges on a canvas of their own size. */
export function GalleryCanvas({ drawing: { nodes, edges }, label }: { drawing: Drawing; label: string }) {
  const bounds = boundsOf(nodes);
  return (
    <ReactFlowProvider>
      <div className="flow gallery-canvas" role="region" aria-label={label} style={{ height: bounds.height + 64 }}>
        <ReactFlow nodes={nodes} edges={edges} nodeTypes={nodeTypes} edgeTypes={edgeTypes} defaultViewport={{ x: 32 - bounds.x, y: 32 - bounds.y, zoom: 1 }} nodesDraggable={false} nodesConnectable={false} panOnDrag={false} zoomOnScroll={false} preventScrolling={false} disableKeyboardA11y>
          <Background gap={16} size={1.25} color="var(--canvas-dot)" />
        </ReactFlow>
      </div>
    </ReactFlowProvider>
  );
}

/** The same from afar: blocks on one 2D canvas. */
export function GalleryFar({ drawing: { nodes, edges } }: { drawing: Drawing }) {
  const bounds = boundsOf(nodes);
  const zoom = 0.3;
  return (
    <canvas
      aria-hidden="true"
      width={bounds.width * zoom + 24}
      height={bounds.height * zoom + 24}
      ref={(element) => {
        const context = element?.getContext("2d");
        if (!element || !context) return;
        context.setTransform(zoom, 0, 0, zoom, 12 - bounds.x * zoom, 12 - bounds.y * zoom);
        drawGraph(context, nodes, edges, boxesOf(nodes), readPalette(element), 1 / zoom, { x: bounds.x - 100, y: bounds.y - 100, width: bounds.width + 200, height: bounds.height + 200 });
      }}
    />
  );
}

/** The map of the workflow: our own canvas, drawn at most ten times a second; dragging in it moves the view. */
import { useReactFlow, useStoreApi } from "@xyflow/react";
import { memo, useEffect, useRef } from "react";

import { t } from "../../text";
import { boundsOf, type CanvasNode } from "./derive";
import { readPalette, type Palette } from "./far_layer";

const [width, height, margin] = [192, 112, 8];

export const Minimap = memo(function Minimap({ nodes }: { nodes: readonly CanvasNode[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const store = useStoreApi();
  const flow = useReactFlow();
  const latest = useRef(nodes);
  latest.current = nodes;
  const frame = useRef({ scale: 1, x: 0, y: 0 });
  const redraw = useRef<() => void>(() => {});

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let palette: Palette | null = null;
    const draw = (): void => {
      timer = undefined;
      const element = canvas.current;
      const context = element?.getContext("2d");
      if (!element || !context) return;
      palette ??= readPalette(element);
      const state = store.getState();
      const [tx, ty, zoom] = state.transform;
      const seen = { x: -tx / zoom, y: -ty / zoom, width: state.width / zoom, height: state.height / zoom };
      const graph = boundsOf(latest.current);
      const left = Math.min(graph.x, seen.x);
      const top = Math.min(graph.y, seen.y);
      const right = Math.max(graph.x + graph.width, seen.x + seen.width);
      const bottom = Math.max(graph.y + graph.height, seen.y + seen.height);
      const scale = Math.min((width - 2 * margin) / Math.max(1, right - left), (height - 2 * margin) / Math.max(1, bottom - top));
      const [dx, dy] = [(width - (right - left) * scale) / 2 - left * scale, (height - (bottom - top) * scale) / 2 - top * scale];
      frame.current = { scale, x: dx, y: dy };
      const ratio = window.devicePixelRatio || 1;
      element.width = width * ratio;
      element.height = height * ratio;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      for (const node of latest.current) {
        const status = node.data.kind === "step" ? node.data.progress?.status : undefined;
        const bad = node.data.kind === "step" && (node.data.problems > 0 || status === "failed");
        context.fillStyle = palette[node.selected ? "--accent-line" : bad ? "--status-failed" : status ? `--status-${status}` : node.data.kind === "note" ? "--note-line" : node.data.kind === "trigger" ? "--cat-trigger-bg" : "--edge-dead"]!;
        context.globalAlpha = status === "pending" || status === "skipped" ? 0.35 : 1;
        context.fillRect(node.position.x * scale + dx, node.position.y * scale + dy, Math.max(2, (node.width ?? 176) * scale), Math.max(1.5, (node.height ?? 48) * scale));
      }
      context.globalAlpha = 1;
      context.strokeStyle = palette["--text-2"]!;
      context.lineWidth = 1.5;
      context.strokeRect(seen.x * scale + dx, seen.y * scale + dy, seen.width * scale, seen.height * scale);
    };
    const schedule = (): void => {
      timer ??= setTimeout(draw, 100);
    };
    redraw.current = schedule;
    const repaint = (): void => {
      palette = null;
      schedule();
    };
    const stop = store.subscribe(schedule);
    window.addEventListener("flowpilot:theme", repaint);
    draw();
    return () => {
      stop();
      clearTimeout(timer);
      window.removeEventListener("flowpilot:theme", repaint);
    };
  }, [store]);
  useEffect(() => redraw.current(), [nodes]);

  const move = (event: React.PointerEvent<HTMLDivElement>): void => {
    if (event.buttons !== 1) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const area = event.currentTarget.getBoundingClientRect();
    const { scale, x, y } = frame.current;
    void flow.setCenter((event.clientX - area.left - x) / scale, (event.clientY - area.top - y) / scale, { zoom: flow.getZoom() });
  };
  return (
    <div className="float minimap" role="img" aria-label={t.editor.minimap} onPointerDown={move} onPointerMove={move}>
      <canvas ref={canvas} />
    </div>
  );
});

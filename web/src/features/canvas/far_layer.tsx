/**
 * The far view: below zoom 0.35 the whole graph is one 2D canvas and React Flow mounts nothing; it comes back at 0.38 (visual language
 * section 3). Text and ports are left out; colour, rings and problems stay.
 */
import { useStore } from "@xyflow/react";
import { useEffect, useRef } from "react";

import { categoryOf } from "../../ui/icons";
import type { CanvasEdge, CanvasNode } from "./derive";

export const farBelow = 0.35;
export const nearFrom = 0.38;

/** Whether to draw from afar, with hysteresis: the answer changes only when the zoom leaves the band between the two limits. */
export function isFar(before: boolean, zoom: number): boolean {
  return before ? zoom < nearFrom : zoom < farBelow;
}

export type Palette = { [name: string]: string };

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const names = [
    "--edge", "--edge-dead", "--edge-taken", "--surface-node", "--border-strong", "--accent-line", "--status-failed", "--bg-canvas", "--surface-note", "--note-line", "--plan", "--text-2", "--cat-trigger-bg",
    ...["trigger", "network", "message", "logic", "data", "wait", "code", "storage", "flow"].flatMap((category) => [`--cat-${category}`, `--cat-${category}-bg`]),
    ...["pending", "queued", "running", "retrying", "waiting", "paused", "completed", "failed", "skipped", "cancelled"].flatMap((status) => [`--status-${status}`, `--status-${status}-soft`]),
  ];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(name).trim()]));
}

type Box = { x: number; y: number; width: number; height: number };

/** Draws all edges and nodes in canvas units; the caller has set the transform. `hair` is one screen pixel in canvas units. */
export function drawGraph(context: CanvasRenderingContext2D, nodes: readonly CanvasNode[], edges: readonly CanvasEdge[], boxes: ReadonlyMap<string, Box>, palette: Palette, hair: number, visible: Box): void {
  context.lineWidth = hair;
  for (const [state, colour, dash] of [["rest", "--edge", []], ["dead", "--edge-dead", [3 * hair, 4 * hair]], ["taken", "--edge-taken", []]] as const) {
    context.beginPath();
    for (const edge of edges) {
      const kind = edge.data?.state === "dead" || edge.data?.state === "off" ? "dead" : edge.data?.state === "taken" || edge.data?.state === "active" ? "taken" : "rest";
      if (kind !== state) continue;
      const from = boxes.get(edge.source);
      const to = boxes.get(edge.target);
      if (!from || !to) continue;
      const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2];
      if (Math.max(x1, x2) < visible.x || Math.min(x1, x2) > visible.x + visible.width || Math.max(y1, y2) < visible.y || Math.min(y1, y2) > visible.y + visible.height) continue;
      const middle = (x1 + x2) / 2;
      context.moveTo(x1, y1);
      context.lineTo(middle, y1);
      context.lineTo(middle, y2);
      context.lineTo(x2, y2);
    }
    context.setLineDash([...dash]);
    context.strokeStyle = palette[colour]!;
    context.stroke();
  }
  context.setLineDash([]);
  for (const node of nodes) {
    const box = boxes.get(node.id)!;
    if (box.x > visible.x + visible.width || box.x + box.width < visible.x || box.y > visible.y + visible.height || box.y + box.height < visible.y) continue;
    if (node.data.kind === "note") {
      context.fillStyle = palette["--surface-note"]!;
      context.fillRect(box.x, box.y, box.width, box.height);
      context.strokeStyle = palette["--note-line"]!;
      context.strokeRect(box.x, box.y, box.width, box.height);
      continue;
    }
    const category = node.data.kind === "trigger" ? "trigger" : categoryOf(node.data.step.step_type);
    const progress = node.data.kind === "step" ? node.data.progress : null;
    const status = progress?.status;
    const quiet = status === "pending" || status === "skipped";
    context.fillStyle = status ? (quiet ? palette["--bg-canvas"]! : palette[`--status-${status}-soft`]!) : palette[`--cat-${category}-bg`]!;
    context.fillRect(box.x, box.y, box.width, box.height);
    context.lineWidth = status && !quiet ? 2 * hair : hair;
    if (quiet) context.setLineDash([3 * hair, 3 * hair]);
    context.strokeStyle = status ? palette[`--status-${status}`]! : palette[`--cat-${category}`]!;
    context.strokeRect(box.x, box.y, box.width, box.height);
    context.setLineDash([]);
    if (status === "failed") {
      context.beginPath();
      context.moveTo(box.x, box.y);
      context.lineTo(box.x + box.width, box.y + box.height);
      context.moveTo(box.x + box.width, box.y);
      context.lineTo(box.x, box.y + box.height);
      context.stroke();
    }
    if (node.data.kind === "step" && node.data.problems > 0) {
      context.fillStyle = palette["--status-failed"]!;
      context.beginPath();
      context.arc(box.x + box.width, box.y, 4 * hair, 0, 2 * Math.PI);
      context.fill();
    }
    if (node.selected) {
      context.lineWidth = 2 * hair;
      context.strokeStyle = palette["--accent-line"]!;
      context.strokeRect(box.x - 3 * hair, box.y - 3 * hair, box.width + 6 * hair, box.height + 6 * hair);
    }
  }
}

export function boxesOf(nodes: readonly CanvasNode[]): Map<string, Box> {
  return new Map(nodes.map((node) => [node.id, { x: node.position.x, y: node.position.y, width: node.width ?? 176, height: node.height ?? 48 }]));
}

type Props = { nodes: readonly CanvasNode[]; edges: readonly CanvasEdge[]; onChoose: (id: string | null, add: boolean) => void; onOpen: (id: string) => void };

export function FarLayer({ nodes, edges, onChoose, onOpen }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [x, y, zoom] = useStore((state) => state.transform);
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const palette = useRef<Palette | null>(null);
  useEffect(() => {
    const forget = (): void => {
      palette.current = null;
    };
    window.addEventListener("flowpilot:theme", forget);
    return () => window.removeEventListener("flowpilot:theme", forget);
  }, []);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    palette.current ??= readPalette(element);
    const ratio = window.devicePixelRatio || 1;
    if (element.width !== Math.round(width * ratio) || element.height !== Math.round(height * ratio)) {
      element.width = Math.round(width * ratio);
      element.height = Math.round(height * ratio);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, element.width, element.height);
    context.setTransform(zoom * ratio, 0, 0, zoom * ratio, x * ratio, y * ratio);
    drawGraph(context, nodes, edges, boxesOf(nodes), palette.current, 1 / zoom, { x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom });
  }, [nodes, edges, x, y, zoom, width, height]);
  const hit = (event: React.MouseEvent): string | null => {
    const area = canvas.current!.getBoundingClientRect();
    const [atX, atY] = [(event.clientX - area.left - x) / zoom, (event.clientY - area.top - y) / zoom];
    for (let index = nodes.length - 1; index >= 0; --index) {
      const { id, position, width: w = 176, height: h = 48 } = nodes[index]!;
      if (atX >= position.x && atX <= position.x + w && atY >= position.y && atY <= position.y + h) return id;
    }
    return null;
  };
  // Clicks are caught where they bubble, on the pane below, so that panning and wheel stay React Flow's.
  useEffect(() => {
    const pane = canvas.current?.closest(".react-flow")?.querySelector<HTMLElement>(".react-flow__pane");
    if (!pane) return;
    const click = (event: MouseEvent): void => onChoose(hit(event as unknown as React.MouseEvent), event.shiftKey);
    const open = (event: MouseEvent): void => {
      const id = hit(event as unknown as React.MouseEvent);
      if (id) {
        event.stopPropagation();
        onOpen(id);
      }
    };
    pane.addEventListener("click", click);
    pane.addEventListener("dblclick", open, true);
    return () => {
      pane.removeEventListener("click", click);
      pane.removeEventListener("dblclick", open, true);
    };
  });
  return <canvas ref={canvas} className="far" style={{ width, height }} aria-hidden="true" />;
}

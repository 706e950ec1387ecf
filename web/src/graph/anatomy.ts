/** Sizes of what stands on the canvas, known before anything is mounted (docs/architecture/web.md). Units: canvas pixels at zoom 1. */
import type { Step, WorkflowDocument } from "./document";
import { edgesOf } from "./document";

export const grid = 16;
export const stepWidth = 176;
export const stepHeight = 48;
export const triggerWidth = 112;
export const portHeight = 16;
export const columnPitch = 224;
export const rowPitch = 80;

export type PortedType = { ports: readonly string[]; dynamic_ports: boolean };

/** The named ports a step's type and config give it, without `error`. */
export function namedPorts(step: Step, type: PortedType | undefined): string[] {
  if (type?.dynamic_ports) {
    const cases = step.config?.cases;
    const names = Array.isArray(cases)
      ? cases.flatMap((entry) => (entry && typeof entry === "object" && !Array.isArray(entry) && typeof entry.name === "string" ? [entry.name] : []))
      : [];
    return [...names, "default"];
  }
  return [...(type?.ports ?? [])];
}

/** Ports drawn below the head of a step. `wired` are the ports its outgoing edges use: an `error` edge shows its port, and so does one to a
 * port that no longer exists, so that the edge can be seen and mended. */
export function shownPorts(step: Step, type: PortedType | undefined, wired: ReadonlySet<string> | undefined): string[] {
  const ports = namedPorts(step, type);
  for (const port of wired ?? []) if (port !== "error" && !ports.includes(port)) ports.push(port);
  if (wired?.has("error")) ports.push("error");
  return ports;
}

/** Whether a step has the plain output at the middle of its head: all but those whose own ports decide the way. */
export function hasPlainOutput(step: Step, type: PortedType | undefined): boolean {
  const ports = namedPorts(step, type);
  return ports.every((port) => port === "timeout");
}

export function stepSize(portCount: number): { width: number; height: number } {
  return { width: stepWidth, height: stepHeight + portCount * portHeight };
}

/** Middle of a port's ring, from the top of the step: 24 for the plain output, 56, 72, ... for the named ones. */
export function portY(index: number): number {
  return index < 0 ? stepHeight / 2 : stepHeight + index * portHeight + portHeight / 2;
}

/** Ports used by edges, for each step. */
export function wiredPorts(document: WorkflowDocument): Map<string, Set<string>> {
  const wired = new Map<string, Set<string>>();
  for (const { source, port } of edgesOf(document)) {
    if (port === null) continue;
    const ports = wired.get(source);
    if (ports) ports.add(port);
    else wired.set(source, new Set([port]));
  }
  return wired;
}

/** Status glyphs: our own, one for each status, readable in grey (visual language section 4). */
import clsx from "clsx";
import type { ReactNode } from "react";

import type { TaskStatus, Status as ExecutionStatus } from "../api/client";
import { t } from "../text";

export type AnyStatus = TaskStatus | ExecutionStatus;

const ring = <circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" strokeWidth="1.5" />;
const glyphs: Record<AnyStatus, ReactNode> = {
  pending: <circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="1.5 2.427" />,
  queued: (
    <>
      {ring}
      <path d="M5 8h.01M8 8h.01M11 8h.01" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
    </>
  ),
  running: (
    <>
      <circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" strokeWidth="1.5" opacity=".3" />
      <path className="spin" d="M8 1.75A6.25 6.25 0 0 1 14.25 8" fill="none" stroke="currentColor" strokeWidth="2.25" strokeLinecap="round" />
      <circle cx="8" cy="8" r="2.25" fill="currentColor" />
    </>
  ),
  retrying: <path d="M13.75 9.5a6 6 0 1 1-1.6-5.8L14 5.5M14 1.8v3.7h-3.7" fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" strokeLinejoin="round" />,
  waiting: (
    <>
      {ring}
      <path d="M8 4.5V8l2.4 1.6" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" />
    </>
  ),
  paused: (
    <>
      {ring}
      <path d="M6.25 5.75v4.5M9.75 5.75v4.5" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" />
    </>
  ),
  completed: <path fill="currentColor" fillRule="evenodd" d="M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm3.9 4.9-1.15-1L7.1 9.1 5.2 7.3 4.15 8.4l3.05 2.9Z" />,
  failed: (
    <path
      fill="currentColor"
      fillRule="evenodd"
      d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1Zm.95 3.95L4.95 6.05 6.9 8 4.95 9.95l1.1 1.1L8 9.1l1.95 1.95 1.1-1.1L9.1 8l1.95-1.95-1.1-1.1L8 6.9Z"
    />
  ),
  skipped: (
    <>
      <circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2.6 2.309" />
      <path d="M6 5.6 8.6 8 6 10.4M10.4 5.6v4.8" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" />
    </>
  ),
  cancelled: <path fill="currentColor" fillRule="evenodd" d="M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1ZM4.6 7.2v1.6h6.8V7.2Z" />,
};

export function StatusGlyph({ status, className }: { status: AnyStatus; className?: string }) {
  return (
    <svg className={clsx("st", `st-${status}`, className)} viewBox="0 0 16 16" aria-hidden="true">
      {glyphs[status]}
    </svg>
  );
}

export function StatusText({ status }: { status: AnyStatus }) {
  return (
    <span className="row status-text" data-s={status}>
      <StatusGlyph status={status} />
      {t.status[status]}
    </span>
  );
}

export function StatusBadge({ status }: { status: AnyStatus }) {
  return (
    <span className="badge" data-s={status}>
      <StatusGlyph status={status} className="sm" />
      {t.status[status]}
    </span>
  );
}

export function isOver(status: AnyStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled" || status === "skipped";
}

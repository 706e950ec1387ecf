import { Link } from "@tanstack/react-router";

import type { Status } from "../../api/client";
import { formatDuration } from "../../lib/format";
import { t } from "../../text";

type Run = { id: string; status: Status; started_at: string; completed_at: string | null };

const shape: Record<Status, string> = { completed: "", failed: "f", cancelled: "c", running: "r", pending: "r", waiting: "w", paused: "w" };

/** The last executions as bars, oldest first: height tells how long each took, shape and colour how it ended. */
export function RecentBars({ runs, workflow }: { runs: readonly Run[]; workflow: string }) {
  if (runs.length === 0) return <span className="t3">{t.workflows.never}</span>;
  const took = (run: Run): number => (run.completed_at ? Date.parse(run.completed_at) - Date.parse(run.started_at) : 0);
  const longest = Math.max(1, ...runs.map(took));
  const failed = runs.filter((run) => run.status === "failed").length;
  return (
    <Link to="/executions" search={{ workflow }} className="runs" aria-label={`${t.workflows.lastRuns(runs.length)}, ${failed} ${t.status.failed}`}>
      {[...runs].reverse().map((run) => (
        <i key={run.id} className={shape[run.status]} style={{ height: `${35 + 65 * (Math.log1p(took(run)) / Math.log1p(longest))}%` }} title={`${t.status[run.status]}${run.completed_at ? `, ${formatDuration(took(run))}` : ""}`} />
      ))}
    </Link>
  );
}

/** The four states every view has beside its content: empty, loading, error, forbidden (visual language section 7). */
import type { ReactNode } from "react";

import { ApiError } from "../api/client";
import { useAfter } from "../lib/hooks";
import { t } from "../text";
import { StatusGlyph } from "./status";
import { CopyButton } from "./controls";

export function Empty({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="state">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {actions && <div className="row">{actions}</div>}
    </div>
  );
}

/** Still rows of the real height, after 150 ms of nothing. */
export function LoadingRows({ rows = 6, height = 36 }: { rows?: number; height?: number }) {
  const shown = useAfter(150);
  return (
    <div role="status" aria-label={t.app.loading} className="skeleton">
      {shown && Array.from({ length: rows }, (_, index) => <div key={index} style={{ height }} />)}
    </div>
  );
}

export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = error instanceof ApiError ? error.problem : null;
  const title = problem?.status === 0 ? t.app.unreachableTitle : problem?.status === 403 ? t.app.forbiddenTitle : (problem?.title ?? t.app.crashTitle);
  const text = problem?.status === 0 ? t.app.unreachable : (problem?.detail ?? (error instanceof Error ? error.message : String(error)));
  return (
    <div className="state state-error" role="alert">
      <h2 className="row">
        <StatusGlyph status="failed" />
        {title}
      </h2>
      <p>{text}</p>
      {problem?.remedy && <p>{problem.remedy}</p>}
      <div className="row">
        {retry && (
          <button type="button" className="btn" onClick={retry}>
            {t.app.tryAgain}
          </button>
        )}
        {problem?.request_id && (
          <span className="t3 row">
            {t.app.requestId} <code>{problem.request_id}</code> <CopyButton text={problem.request_id} />
          </span>
        )}
      </div>
    </div>
  );
}

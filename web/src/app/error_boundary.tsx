import { Component, type ReactNode } from "react";

import { t } from "../text";
import { CopyButton } from "../ui/controls";

/** What a page shows instead of nothing when it throws; edits are safe in IndexedDB by then. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    const text = `${error.name}: ${error.message}\n${error.stack ?? ""}`;
    return (
      <main className="page" id="content">
        <div className="state state-error" role="alert">
          <h2>{t.app.crashTitle}</h2>
          <p>{t.app.crash}</p>
          <div className="row">
            <button type="button" className="btn btn-primary" onClick={() => location.reload()}>
              {t.app.reload}
            </button>
            <CopyButton text={text} />
          </div>
          <pre className="crash">{text}</pre>
        </div>
      </main>
    );
  }
}

export function PageError({ error }: { error: Error }) {
  return (
    <ErrorBoundary>
      <Throw error={error} />
    </ErrorBoundary>
  );
}

function Throw({ error }: { error: Error }): ReactNode {
  throw error;
}

/** URLs and folders that published workflows ask again and again, and how the last look went. */
import { Link } from "@tanstack/react-router";

import type { Poll } from "../../api/client";
import { formatAgo } from "../../lib/format";
import { t } from "../../text";
import { Empty } from "../../ui/states";

export function SourcesTable({ rows }: { rows: readonly Poll[] }) {
  if (rows.length === 0) return <Empty title={t.triggers.noSources}>{t.triggers.none}</Empty>;
  return (
    <div className="table-scroll" tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t.triggers.workflow}</th>
            <th scope="col">{t.triggers.source}</th>
            <th scope="col">{t.triggers.state}</th>
            <th scope="col">{t.triggers.last}</th>
            <th scope="col">{t.triggers.items}</th>
            <th scope="col">{t.triggers.started}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const problem = row.error as { detail?: string } | null;
            return (
              <tr key={`${row.workflow}/${row.trigger}`}>
                <td>
                  <Link to="/workflows/$id" params={{ id: row.workflow }} search={{ step: `trigger:${row.trigger}` }} className="b">
                    {row.workflow_name}
                  </Link>
                </td>
                <td>
                  {t.quick.triggers[row.trigger_type]} <span className="t3">{row.trigger}</span>
                </td>
                <td>{problem ? <span data-bad="">{problem.detail}</span> : t.triggers.states.on}</td>
                <td className="t2">{row.last_at ? formatAgo(row.last_at) : t.app.none}</td>
                <td>{row.items}</td>
                <td>{row.started}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

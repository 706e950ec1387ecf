/** Where published workflows listen, and what keeps one from it. */
import { Link } from "@tanstack/react-router";

import type { Webhook } from "../../api/client";
import { formatAgo, formatFull } from "../../lib/format";
import { t } from "../../text";
import { CopyButton } from "../../ui/controls";
import { Empty } from "../../ui/states";

export function WebhooksTable({ rows }: { rows: readonly Webhook[] }) {
  if (rows.length === 0) return <Empty title={t.triggers.noWebhooks}>{t.triggers.none}</Empty>;
  return (
    <div className="table-scroll" tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t.triggers.workflow}</th>
            <th scope="col">{t.triggers.path}</th>
            <th scope="col">{t.triggers.state}</th>
            <th scope="col">{t.webhook.signature}</th>
            <th scope="col">{t.triggers.last}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((hook) => (
            <Row key={`${hook.workflow}/${hook.trigger}`} hook={hook} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ hook }: { hook: Webhook }) {
  const url = window.location.origin + hook.path;
  return (
    <tr>
      <td>
        <Link to="/workflows/$id" params={{ id: hook.workflow }} search={{ step: `trigger:${hook.trigger}` }} className="b">
          {hook.workflow_name}
        </Link>
      </td>
      <td>
        <span className="t3">{hook.methods.join(", ")}</span> <code>{hook.path}</code> <CopyButton text={url} label={`${t.webhook.copy}: ${hook.path}`} />
      </td>
      <td>
        <span className={hook.problem ? "pill pill-sm pill-off" : "pill pill-sm"} data-bad={hook.problem ? "" : undefined}>
          <span className={hook.problem ? "" : "pill-live"}>{hook.problem ? t.triggers.states.noSecret : t.triggers.states.on}</span>
        </span>
      </td>
      <td className="t2">{t.webhook.schemes[hook.signature]}</td>
      <td className="t2" title={hook.last_request_at ? formatFull(hook.last_request_at) : undefined}>
        {hook.last_request_at && hook.last_status !== null ? t.triggers.lastRequest(hook.last_status, formatAgo(hook.last_request_at)) : t.app.none}
      </td>
    </tr>
  );
}

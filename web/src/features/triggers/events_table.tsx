/** What was published, and what became of each event at each subscriber: the answer to "why did nothing start?". */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useState } from "react";

import type { PublishedEvent } from "../../api/client";
import { eventsQuery } from "../../api/queries";
import { formatAgo, formatFull } from "../../lib/format";
import { useSettled } from "../../lib/hooks";
import { t } from "../../text";
import { Field } from "../../ui/controls";
import { Empty, ErrorState, LoadingRows } from "../../ui/states";

export function EventsTable() {
  const id = useId();
  const [name, setName] = useState("");
  const settled = useSettled(name.trim(), 200);
  const { data = [], error, isPending, refetch } = useQuery(eventsQuery({ name: settled }));
  return (
    <>
      <Field label={t.triggers.ofName} id={id}>
        <input id={id} className="input events-name" spellCheck={false} value={name} placeholder="order.paid" onChange={(event) => setName(event.target.value)} />
      </Field>
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <LoadingRows height={48} />
      ) : data.length === 0 ? (
        <Empty title={t.triggers.noEvents}>{t.triggers.eventsNone}</Empty>
      ) : (
        <div className="table-scroll" tabIndex={0}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t.triggers.at}</th>
                <th scope="col">{t.triggers.event}</th>
                <th scope="col">{t.triggers.eventKey}</th>
                <th scope="col">{t.triggers.by}</th>
                <th scope="col">{t.triggers.outcome}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((event) => (
                <Row key={event.id} event={event} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ event }: { event: PublishedEvent }) {
  const source = event.source as { execution_id?: string; workflow?: string; step?: string };
  return (
    <tr>
      <td className="t2" title={formatFull(event.at)}>
        {formatAgo(event.at)}
      </td>
      <td className="b">{event.name}</td>
      <td>
        <code>{event.key}</code>
      </td>
      <td>
        {source.execution_id ? (
          <Link to="/executions/$id" params={{ id: source.execution_id }}>
            {source.workflow}
            {source.step && ` · ${source.step}`}
          </Link>
        ) : (
          <span className="t2">{t.triggers.api}</span>
        )}
      </td>
      <td>
        <Outcome event={event} />
      </td>
    </tr>
  );
}

function Outcome({ event }: { event: PublishedEvent }) {
  if (!event.handled_at) return <span className="t2">{t.event.onItsWay}</span>;
  if (event.outcome.length === 0) return <span className="t2">{t.triggers.nobody}</span>;
  return (
    <ul className="outcomes">
      {event.outcome.map((row, index) => (
        <li key={index} data-bad={row.outcome === "refused" || row.outcome === "failed" ? "" : undefined}>
          {row.execution_id ? (
            <Link to="/executions/$id" params={{ id: row.execution_id }}>
              {row.workflow_name ?? row.execution_id.slice(0, 8)}
            </Link>
          ) : (
            row.workflow_name
          )}{" "}
          {t.event.outcomes[row.outcome]}
          {row.reason && <span className="t2"> · {row.reason}</span>}
        </li>
      ))}
    </ul>
  );
}

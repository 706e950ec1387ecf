/** Schedules of published workflows: what each does next, and what keeps it from it. */
import { Link } from "@tanstack/react-router";

import type { Schedule } from "../../api/client";
import { formatAgo, formatFull, formatTime } from "../../lib/format";
import { t } from "../../text";
import { ScheduleControls } from "../../ui/schedule_controls";
import { Empty } from "../../ui/states";

function stateOf(schedule: Schedule): { text: string; bad: boolean } {
  if (schedule.paused) return { text: schedule.paused.by === "flowpilot" ? t.triggers.states.pausedByItself : t.triggers.states.paused, bad: schedule.paused.by === "flowpilot" };
  if (schedule.waits) return { text: t.triggers.states.waits, bad: false };
  if (schedule.last_outcome === "missed") return { text: t.triggers.states.missed, bad: true };
  return { text: schedule.next_at ? t.triggers.states.on : t.triggers.states.over, bad: false };
}

export function SchedulesTable({ rows }: { rows: readonly Schedule[] }) {
  if (rows.length === 0) return <Empty title={t.triggers.noSchedules}>{t.triggers.none}</Empty>;
  return (
    <div className="table-scroll" tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t.triggers.workflow}</th>
            <th scope="col">{t.triggers.trigger}</th>
            <th scope="col">{t.triggers.state}</th>
            <th scope="col">{t.triggers.next}</th>
            <th scope="col">{t.triggers.last}</th>
            <th scope="col">
              <span className="sr">{t.app.more}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((schedule) => (
            <Row key={`${schedule.workflow}/${schedule.trigger}`} schedule={schedule} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ schedule }: { schedule: Schedule }) {
  const state = stateOf(schedule);
  const outcome = schedule.last_outcome as keyof typeof t.schedule.outcomes | null;
  return (
    <tr>
      <td>
        <Link to="/workflows/$id" params={{ id: schedule.workflow }} search={{ step: `trigger:${schedule.trigger}` }} className="b">
          {schedule.workflow_name}
        </Link>
      </td>
      <td className="t2">{schedule.trigger}</td>
      <td>
        <span className={schedule.paused ? "pill pill-sm pill-off" : "pill pill-sm"} data-bad={state.bad ? "" : undefined}>
          <span className={schedule.paused || state.bad ? "" : "pill-live"}>{state.text}</span>
        </span>
        {schedule.paused?.note && <span className="t3 trigger-note"> {schedule.paused.note}</span>}
      </td>
      <td className="t2" title={schedule.next_at ? formatFull(schedule.next_at) : undefined}>
        {schedule.next_at ? formatTime(schedule.next_at) : t.app.none}
      </td>
      <td className="t2" title={schedule.last_tick_at ? formatFull(schedule.last_tick_at) : undefined}>
        {schedule.last_tick_at && outcome ? `${t.schedule.outcomes[outcome]}, ${formatAgo(schedule.last_tick_at)}` : t.app.none}
      </td>
      <td className="num">
        <ScheduleControls schedule={schedule} compact />
      </td>
    </tr>
  );
}

/** What a person does to a published schedule: pause it with a note, resume it, start it now, fill a range of the past. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Ellipsis } from "lucide-react";
import { useId, useState } from "react";

import { api, idempotent, unwrap, type Schedule } from "../api/client";
import { backfillPlanQuery, backfillQuery, keys, queryClient } from "../api/queries";
import { formatFull } from "../lib/format";
import { useSettled } from "../lib/hooks";
import { t } from "../text";
import { Button, Dialog, Field, Menu } from "./controls";
import { ErrorState } from "./states";
import { toast } from "./toast";

type Props = { schedule: Schedule; compact?: boolean; onStarted?: (execution: string) => void };

function refresh(schedule: Schedule): void {
  void queryClient.invalidateQueries({ queryKey: ["schedules"] });
  void queryClient.invalidateQueries({ queryKey: [...keys.workflow(schedule.workflow), "schedules"] });
}

const nameOf = (schedule: Schedule): string => `${schedule.workflow_name} · ${schedule.trigger}`;

export function ScheduleControls({ schedule, compact = false, onStarted }: Props) {
  const [dialog, setDialog] = useState<"pause" | "backfill" | null>(null);
  const path = { id: schedule.workflow, trigger: schedule.trigger };
  const fail = (error: Error): void => toast(error.message);
  const resume = useMutation({
    mutationFn: () => unwrap(api.POST("/api/schedules/{id}/{trigger}/resume/", { params: { path } })),
    onSuccess: () => {
      refresh(schedule);
      toast(t.schedule.resumed);
    },
    onError: fail,
  });
  const start = useMutation({
    mutationFn: () => unwrap(api.POST("/api/schedules/{id}/{trigger}/trigger/", { params: { path, header: idempotent() } })),
    onSuccess: (execution) => {
      refresh(schedule);
      toast(t.schedule.started);
      onStarted?.(execution.id);
    },
    onError: fail,
  });
  const act = schedule.paused ? { text: t.schedule.resume, onSelect: () => resume.mutate() } : { text: t.schedule.pause, onSelect: () => setDialog("pause") };
  const items = [act, { text: t.schedule.start, onSelect: () => start.mutate() }, { text: t.schedule.backfill, onSelect: () => setDialog("backfill") }];
  return (
    <>
      {compact ? (
        <Menu
          trigger={
            <Button kind="quiet" icon label={t.triggers.more(nameOf(schedule))}>
              <Ellipsis className="icon" aria-hidden="true" />
            </Button>
          }
          items={items}
        />
      ) : (
        <div className="row gap-1">
          {items.map((item) => (
            <Button key={item.text} size="sm" disabled={resume.isPending || start.isPending} onClick={item.onSelect}>
              {item.text}
            </Button>
          ))}
        </div>
      )}
      {dialog === "pause" && <PauseDialog schedule={schedule} onClose={() => setDialog(null)} />}
      {dialog === "backfill" && <BackfillDialog schedule={schedule} onClose={() => setDialog(null)} />}
    </>
  );
}

function PauseDialog({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const id = useId();
  const [note, setNote] = useState("");
  const pause = useMutation({
    mutationFn: () => unwrap(api.POST("/api/schedules/{id}/{trigger}/pause/", { params: { path: { id: schedule.workflow, trigger: schedule.trigger } }, body: { note } })),
    onSuccess: () => {
      refresh(schedule);
      onClose();
    },
  });
  return (
    <Dialog
      title={t.schedule.pauseTitle(nameOf(schedule))}
      description={t.schedule.pauseText}
      open
      onClose={onClose}
      footer={
        <Button kind="primary" disabled={pause.isPending} onClick={() => pause.mutate()}>
          {t.schedule.pause}
        </Button>
      }
    >
      {pause.error && <ErrorState error={pause.error} />}
      <Field label={t.schedule.note} id={id}>
        <input id={id} className="input" autoFocus maxLength={1000} value={note} onChange={(event) => setNote(event.target.value)} onKeyDown={(event) => event.key === "Enter" && pause.mutate()} />
      </Field>
    </Dialog>
  );
}

/** "2026-03-01T08:00" of a moment, as an input of the browser takes it: on the viewer's clock. */
export function toClock(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function BackfillDialog({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const id = useId();
  const [from, setFrom] = useState(() => toClock(new Date(Date.now() - 86_400_000)));
  const [until, setUntil] = useState(() => toClock(new Date()));
  const [atOnce, setAtOnce] = useState(false);
  const range = useSettled(`${from}|${until}`, 300);
  const [begin = "", end = ""] = range.split("|").map((text) => (Number.isNaN(Date.parse(text)) ? "" : new Date(text).toISOString()));
  const plan = useQuery({ ...backfillPlanQuery(schedule.workflow, schedule.trigger, begin, end), enabled: begin !== "" && end !== "" });
  const order = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST("/api/schedules/{id}/{trigger}/backfill/", {
          params: { path: { id: schedule.workflow, trigger: schedule.trigger }, header: idempotent() },
          body: { from: begin, until: end, overlap: atOnce ? "allow" : "queue" } as never,
        }),
      ),
  });
  const job = useQuery({ ...backfillQuery(order.data?.id ?? ""), enabled: order.data !== undefined });
  const shown = job.data ?? order.data;
  const count = plan.data?.count ?? 0;
  return (
    <Dialog
      title={t.schedule.backfillTitle(nameOf(schedule))}
      description={t.schedule.backfillText}
      open
      onClose={() => {
        refresh(schedule);
        onClose();
      }}
      footer={
        shown ? null : (
          <Button kind="primary" disabled={count === 0 || order.isPending || plan.isFetching} onClick={() => order.mutate()}>
            {t.schedule.fill(count)}
          </Button>
        )
      }
    >
      <div className="grid gap-3.5">
        <div className="two">
          <Field label={t.schedule.from} id={`${id}-from`}>
            <input id={`${id}-from`} className="input" type="datetime-local" value={from} disabled={shown !== undefined} onChange={(event) => setFrom(event.target.value)} />
          </Field>
          <Field label={t.schedule.until} id={`${id}-until`}>
            <input id={`${id}-until`} className="input" type="datetime-local" value={until} disabled={shown !== undefined} onChange={(event) => setUntil(event.target.value)} />
          </Field>
        </div>
        <label className="row gap-2">
          <input type="checkbox" checked={atOnce} disabled={shown !== undefined} onChange={(event) => setAtOnce(event.target.checked)} />
          {t.schedule.atOnce}
        </label>
        {order.error && <ErrorState error={order.error} />}
        {shown ? (
          <div role="status">
            <progress className="progress" max={Math.max(1, shown.count)} value={shown.done} aria-label={t.schedule.backfill} />
            <p>{shown.status === "running" ? t.schedule.filling(shown.done, shown.count) : t.schedule.filled(shown.started)}</p>
            {shown.error && <p className="help bad">{shown.error}</p>}
          </div>
        ) : plan.error ? (
          <p className="help bad" role="alert">
            {plan.error.message}
          </p>
        ) : (
          <p role="status">
            {plan.data ? t.schedule.counts(plan.data.count, plan.data.started_before) : t.schedule.counting}
            {plan.data?.first && plan.data.last && <span className="t3"> {t.schedule.countRange(formatFull(plan.data.first), formatFull(plan.data.last))}</span>}
          </p>
        )}
      </div>
    </Dialog>
  );
}

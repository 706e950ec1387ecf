/** What starts workflows by itself, all of it: when it fires next, what keeps it from firing, what a person can do about it. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { allPollsQuery, allSchedulesQuery, allWebhooksQuery } from "../api/queries";
import { triggersRoute } from "../app/router";
import { Calendar } from "../features/triggers/calendar";
import { EventsTable } from "../features/triggers/events_table";
import { SchedulesTable } from "../features/triggers/schedules_table";
import { SourcesTable } from "../features/triggers/sources_table";
import { WebhooksTable } from "../features/triggers/webhooks_table";
import { useTitle } from "../lib/hooks";
import { t } from "../text";
import { Tabs } from "../ui/controls";
import { ErrorState, LoadingRows } from "../ui/states";

const tabs = ["schedules", "webhooks", "events", "sources"] as const;

export function TriggersPage() {
  const search = triggersRoute.useSearch();
  const navigate = useNavigate({ from: "/triggers" });
  const tab = tabs.find((name) => name === search.tab) ?? "schedules";
  const schedules = useQuery(allSchedulesQuery);
  const webhooks = useQuery(allWebhooksQuery);
  const sources = useQuery(allPollsQuery);
  const shown = { schedules, webhooks, events: null, sources }[tab];
  const named = (name: (typeof tabs)[number], count: number | undefined) => ({
    value: name,
    text: (
      <>
        {t.triggers[name]} {count !== undefined && <span className="count">{count}</span>}
      </>
    ),
  });
  useTitle(t.triggers.title);
  return (
    <div className="screen">
      <header className="topbar">
        <h1>{t.triggers.title}</h1>
        <span className="t3 clip">{t.triggers.intro}</span>
      </header>
      <main className="page" id="content">
        <Tabs
          label={t.triggers.title}
          value={tab}
          onChange={(next) => void navigate({ search: next === "schedules" ? {} : { tab: next } })}
          options={[named("schedules", schedules.data?.length), named("webhooks", webhooks.data?.length), named("events", undefined), named("sources", sources.data?.length)]}
        />
        {tab === "schedules" && <Calendar />}
        {!shown ? (
          <EventsTable />
        ) : shown.error ? (
          <ErrorState error={shown.error} retry={() => void shown.refetch()} />
        ) : shown.isPending ? (
          <LoadingRows height={48} />
        ) : tab === "schedules" ? (
          <SchedulesTable rows={schedules.data ?? []} />
        ) : tab === "webhooks" ? (
          <WebhooksTable rows={webhooks.data ?? []} />
        ) : (
          <SourcesTable rows={sources.data ?? []} />
        )}
      </main>
    </div>
  );
}

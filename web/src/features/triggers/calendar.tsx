/** The next 24 hours: how much each brings, and from which schedules, so that collisions are seen before they happen. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { scheduleCalendarQuery } from "../../api/queries";
import { t } from "../../text";

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export function Calendar() {
  const { data } = useQuery(scheduleCalendarQuery);
  const [chosen, setChosen] = useState(0);
  if (!data) return null;
  const most = Math.max(1, ...data.results.map((hour) => hour.count));
  const shown = data.results[chosen];
  return (
    <section className="card calendar" aria-labelledby="calendar">
      <header>
        <h2 id="calendar">{t.triggers.calendar}</h2>
        {!data.is_whole && <span className="t3">{t.triggers.calendarPart}</span>}
      </header>
      {data.results.every((hour) => hour.count === 0) ? (
        <p className="help">{t.triggers.calendarNone}</p>
      ) : (
        <>
          <ol className="hours">
            {data.results.map((hour, index) => {
              const label = t.triggers.hour(clock.format(new Date(hour.at)), hour.count);
              return (
                <li key={hour.at}>
                  <button type="button" aria-label={label} aria-pressed={index === chosen} title={label} onClick={() => setChosen(index)}>
                    <i style={{ height: `${hour.count === 0 ? 0 : Math.max(4, (hour.count / most) * 48)}px` }} />
                    <span aria-hidden="true">{index % 3 === 0 ? clock.format(new Date(hour.at)).slice(0, 2) : ""}</span>
                  </button>
                </li>
              );
            })}
          </ol>
          {shown && (
            <p className="hours-names" role="status">
              <b>{t.triggers.hour(clock.format(new Date(shown.at)), shown.count)}</b> {shown.schedules.map((one) => `${one.workflow_name} (${one.count})`).join(", ")}
            </p>
          )}
        </>
      )}
    </section>
  );
}

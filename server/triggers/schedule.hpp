#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/cron.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace date {
class time_zone;
}

namespace fp::triggers {

/// When something fires. Exactly one of cron, every and once.
struct Schedule {
  enum class Missing : std::uint8_t { shift, skip };
  enum class Repeated : std::uint8_t { first, last, both };

  std::optional<model::Cron> cron;
  std::optional<Milliseconds> every;
  std::optional<TimePoint> once;
  TimePoint anchor{};                     // `every` counts from here
  const date::time_zone* zone = nullptr;  // never null once read
  std::optional<TimePoint> start;         // nothing before it
  std::optional<TimePoint> end;           // nothing after it
  Missing missing = Missing::shift;
  Repeated repeated = Repeated::first;
};

/// One time at which a schedule fires.
struct Tick {
  enum class Note : std::uint8_t { none, shifted, repeated };
  TimePoint at{};
  Note note = Note::none;
  bool operator==(const Tick&) const = default;
};

/// {cron, every_seconds or at, timezone, start, end, anchor, missing_hour, repeated_hour} of a document.
/// Other members are left to others. Errors: those of parse_cron, tz.unknown, time.syntax, field.missing.
Result<Schedule> read_schedule(const Json& config);

/// The first tick after `after`; none when the schedule has ended or the calendar has no more such days.
///
/// Where clocks are put back, a wall-clock time that comes twice fires as `repeated` says; where they are put
/// forward, a time that is left out fires at the moment of the change (`shift`) or not at all (`skip`), once
/// however many of its times are left out. A cron that fires in every hour is about real time: nothing of it
/// is shifted or left out. Intervals count real time as well. Costs microseconds, also for a cron that fires
/// once in 28 years.
std::optional<Tick> find_next(const Schedule& schedule, TimePoint after);
/// The last tick before `before`.
std::optional<Tick> find_previous(const Schedule& schedule, TimePoint before);

/// The shortest time between two of its ticks, as far as the time of day decides; the longest there is when
/// it fires once.
Milliseconds find_shortest_gap(const Schedule& schedule);

/// How many ticks come in each of the `hours` hours from `begin` on, none before `from`. Takes one from
/// `budget` for each tick it looked at; at 0 it stops, and counts less.
std::vector<std::uint64_t> count_by_hour(const Schedule& schedule, TimePoint from, TimePoint begin,
                                         std::size_t hours, std::uint64_t& budget);

/// "2026-03-29T03:00:00+02:00": as clocks show it there.
std::string to_local_text(const Schedule& schedule, TimePoint at);

}  // namespace fp::triggers

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

/// When something fires. Exactly one of cron and every.
struct Schedule {
  enum class Missing : std::uint8_t { shift, skip };
  enum class Repeated : std::uint8_t { first, last, both };

  std::optional<model::Cron> cron;
  std::optional<Milliseconds> every;
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

/// {cron or every_seconds, timezone, start, end, anchor, missing_hour, repeated_hour} of a document. Other
/// members are left to others. Errors: those of parse_cron, tz.unknown, time.syntax, field.missing.
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

/// "2026-03-29T03:00:00+02:00": as clocks show it there.
std::string to_local_text(const Schedule& schedule, TimePoint at);

}  // namespace fp::triggers

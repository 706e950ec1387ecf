#include "triggers/schedule.hpp"

#include "base/error_code.hpp"
#include "model/suggest.hpp"
#include "model/time_zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <date/tz.h>
#include <stdexcept>

namespace fp::triggers {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Seconds = std::chrono::sys_seconds;
/// What clocks show, counted as if there were no zones.
using Wall = std::chrono::local_seconds;

constexpr int kYearsAhead = 400;  // after which the calendar repeats itself

/// The time between two changes of a zone's clocks.
struct Span {
  Seconds begin{};
  Seconds end{};
  seconds offset{};

  Wall wall(Seconds at) const { return Wall(at.time_since_epoch() + offset); }
  Seconds real(Wall at) const { return Seconds(at.time_since_epoch() - offset); }
};

Span span_at(const date::time_zone& zone, Seconds at) {
  const auto info = zone.get_info(date::sys_seconds(at.time_since_epoch()));
  return {Seconds(info.begin.time_since_epoch()), Seconds(info.end.time_since_epoch()), info.offset};
}

template <std::size_t N>
std::optional<int> next_set(const std::bitset<N>& set, int from) {
  for (auto i = static_cast<std::size_t>(from); i < N; ++i) {
    if (set[i]) return static_cast<int>(i);
  }
  return std::nullopt;
}

/// The first time of day at or after `from` that fits.
std::optional<seconds> next_in_day(const model::Cron& cron, seconds from) {
  const std::chrono::hh_mm_ss clock(from);
  int hour = static_cast<int>(clock.hours().count());
  int minute = static_cast<int>(clock.minutes().count());
  int second = static_cast<int>(clock.seconds().count());
  while (hour < 24) {
    const auto fitting_hour = next_set(cron.hours, hour);
    if (!fitting_hour) return std::nullopt;
    if (*fitting_hour != hour) hour = *fitting_hour, minute = second = 0;
    const auto fitting_minute = minute < 60 ? next_set(cron.minutes, minute) : std::nullopt;
    if (fitting_minute) {
      if (*fitting_minute != minute) minute = *fitting_minute, second = 0;
      if (const auto found = second < 60 ? next_set(cron.seconds, second) : std::nullopt)
        return hours(hour) + minutes(minute) + seconds(*found);
      ++minute;
      second = 0;
      if (minute < 60) continue;
    }
    ++hour;
    minute = second = 0;
  }
  return std::nullopt;
}

/// The first wall-clock time at or after `from` that fits, and before `until`.
std::optional<Wall> next_wall(const model::Cron& cron, Wall from, Wall until) {
  auto day = std::chrono::floor<days>(from);
  auto time = from - day;
  while (day < until) {
    const std::chrono::year_month_day date(day);
    if (!cron.months[static_cast<unsigned>(date.month())]) {
      day = std::chrono::local_days((date.year() / date.month() + std::chrono::months(1)) /
                                    std::chrono::day(1));
      time = seconds(0);
      continue;
    }
    if (cron.fits(date)) {
      if (const auto found = next_in_day(cron, time)) {
        const auto at = day + *found;
        return at < until ? std::optional<Wall>(at) : std::nullopt;
      }
    }
    day += days(1);
    time = seconds(0);
  }
  return std::nullopt;
}

/// Wall-clock times in [from, until) of a span that come once, or fire in this one of their two spans.
std::optional<Tick> next_in_span(const Schedule& schedule, const Span& span, const Span& before,
                                 const Span& after, Seconds from) {
  const auto& cron = *schedule.cron;
  const bool is_plain = cron.is_hourly();
  const auto limit = std::min(span.end, from + days(366) * kYearsAhead);
  // What clocks showed already in the span before, and what they will show again in the next.
  const auto repeats_until =
      before.offset > span.offset ? span.begin + (before.offset - span.offset) : span.begin;
  const auto repeats_from = after.offset < span.offset ? span.end - (span.offset - after.offset) : span.end;
  auto at = from;
  while (at < limit) {
    const auto found = next_wall(cron, span.wall(at), span.wall(limit));
    if (!found) return std::nullopt;
    const auto real = span.real(*found);
    const bool is_second = real < repeats_until;
    const bool is_first = real >= repeats_from;
    if (is_plain) return Tick{TimePoint(real), Tick::Note::none};
    if (is_second && schedule.repeated == Schedule::Repeated::first) {
      at = std::max(repeats_until, real + seconds(1));
      continue;
    }
    if (is_first && schedule.repeated == Schedule::Repeated::last) {
      at = real + seconds(1);
      continue;
    }
    return Tick{TimePoint(real), is_second || is_first ? Tick::Note::repeated : Tick::Note::none};
  }
  return std::nullopt;
}

std::optional<Tick> next_of_cron(const Schedule& schedule, TimePoint after) {
  const auto& zone = *schedule.zone;
  const auto& cron = *schedule.cron;
  auto from = std::chrono::floor<seconds>(after) + seconds(1);
  const auto last = from + days(366) * kYearsAhead;
  while (from < last) {
    const auto span = span_at(zone, from);
    const auto before = span_at(zone, span.begin - seconds(1));
    const auto next = span_at(zone, span.end);
    // What the change at the beginning of this span left out.
    const bool is_at_change = from == span.begin && span.offset > before.offset;
    if (is_at_change && !cron.is_hourly() && schedule.missing == Schedule::Missing::shift &&
        next_wall(cron, before.wall(span.begin), span.wall(span.begin)))
      return Tick{TimePoint(span.begin), Tick::Note::shifted};
    if (const auto found = next_in_span(schedule, span, before, next, from)) return found;
    from = span.end;
  }
  return std::nullopt;
}

std::optional<Tick> next_of_interval(const Schedule& schedule, TimePoint after) {
  const auto every = *schedule.every;
  const auto since = after - schedule.anchor;
  const auto count = since < Milliseconds(0) ? 0 : since / every + 1;
  return Tick{schedule.anchor + every * count, Tick::Note::none};
}

std::optional<Tick> next_of_once(const Schedule& schedule, TimePoint after) {
  if (*schedule.once <= after) return std::nullopt;
  return Tick{*schedule.once, Tick::Note::none};
}

std::optional<TimePoint> read_time(const Json& config, std::string_view key, std::optional<Error>& error) {
  const auto text = json_string(config, key);
  if (text.empty()) return std::nullopt;
  auto time = parse_rfc3339(text);
  if (time) return *time;
  error = time.error();
  return std::nullopt;
}

Result<const date::time_zone*> find_zone(const std::string& name) {
  const Error unknown(
      codes::tz_unknown,
      fmt::format("{} is no time zone of the tz database, such as Europe/Berlin", model::quote(name)));
  if (!model::is_time_zone(name)) return unknown;
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return unknown;
  }
}

}  // namespace

Result<Schedule> read_schedule(const Json& config) {
  Schedule out;
  const auto zone_name = json_string(config, "timezone");
  auto zone = find_zone(zone_name.empty() ? "UTC" : zone_name);
  if (!zone) return zone.error();
  out.zone = *zone;
  if (const auto text = json_string(config, "cron"); !text.empty()) {
    auto cron = model::parse_cron(text);
    if (!cron) return cron.error();
    out.cron = *cron;
  }
  const auto* every = json_find(config, "every_seconds");
  if (every != nullptr && every->is_number())
    out.every = Milliseconds(static_cast<std::int64_t>(every->to_number<double>() * 1000));
  std::optional<Error> error;
  out.once = read_time(config, "at", error);
  const int kinds = int{out.cron.has_value()} + int{out.every.has_value()} + int{out.once.has_value()};
  if (!error && (kinds != 1 || (out.every && *out.every < Milliseconds(1))))
    return Error(codes::field_missing, "a schedule has one of \"cron\", \"every_seconds\" and \"at\"");
  out.start = read_time(config, "start", error);
  out.end = read_time(config, "end", error);
  out.anchor = read_time(config, "anchor", error).value_or(out.start.value_or(TimePoint{}));
  if (error) return *error;
  if (json_string(config, "missing_hour") == "skip") out.missing = Schedule::Missing::skip;
  const auto repeated = json_string(config, "repeated_hour");
  if (repeated == "last") out.repeated = Schedule::Repeated::last;
  if (repeated == "both") out.repeated = Schedule::Repeated::both;
  return out;
}

std::optional<Tick> find_next(const Schedule& schedule, TimePoint after) {
  if (schedule.start && after < *schedule.start) after = *schedule.start - Milliseconds(1);
  const auto found = schedule.cron    ? next_of_cron(schedule, after)
                     : schedule.every ? next_of_interval(schedule, after)
                                      : next_of_once(schedule, after);
  if (!found || (schedule.end && found->at > *schedule.end)) return std::nullopt;
  return found;
}

std::optional<Tick> find_previous(const Schedule& schedule, TimePoint before) {
  if (schedule.once) {
    const auto only = find_next(schedule, *schedule.once - Milliseconds(1));
    return only && only->at < before ? only : std::nullopt;
  }
  const auto earliest = schedule.start.value_or(before - days(366) * kYearsAhead);
  if (schedule.end && before > *schedule.end) before = *schedule.end + Milliseconds(1);
  // Looks back twice as far each time, and goes forward from there.
  for (Milliseconds back = seconds(1);; back *= 2) {
    const auto from = std::max(earliest, before - back) - Milliseconds(1);
    std::optional<Tick> last;
    for (auto next = find_next(schedule, from); next && next->at < before;
         next = find_next(schedule, next->at))
      last = next;
    if (last || from < earliest) return last;
  }
}

Milliseconds find_shortest_gap(const Schedule& schedule) {
  if (schedule.every) return *schedule.every;
  if (!schedule.cron) return Milliseconds::max();
  const auto& cron = *schedule.cron;
  const auto first = next_in_day(cron, seconds(0));
  auto last = first;
  auto shortest = seconds(days(1));
  for (auto next = next_in_day(cron, *first + seconds(1)); next && shortest > seconds(1);
       next = next_in_day(cron, *next + seconds(1))) {
    shortest = std::min(shortest, *next - *last);
    last = next;
  }
  // To the first of the next day.
  return std::min(shortest, seconds(days(1)) - *last + *first);
}

std::vector<std::uint64_t> count_by_hour(const Schedule& schedule, TimePoint from, TimePoint begin,
                                         std::size_t count, std::uint64_t& budget) {
  std::vector<std::uint64_t> out(count);
  const auto end = begin + hours(count);
  for (auto tick = find_next(schedule, from - Milliseconds(1)); tick && tick->at < end && budget > 0;
       tick = find_next(schedule, tick->at)) {
    ++out[static_cast<std::size_t>((tick->at - begin) / hours(1))];
    --budget;
  }
  return out;
}

std::string to_local_text(const Schedule& schedule, TimePoint at) {
  const auto second = std::chrono::floor<seconds>(at);
  const auto span = span_at(*schedule.zone, second);
  const auto wall = span.wall(second);
  const auto day = std::chrono::floor<days>(wall);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(wall - day);
  const auto offset = std::chrono::duration_cast<minutes>(span.offset).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     offset < 0 ? '-' : '+', std::abs(offset) / 60, std::abs(offset) % 60);
}

}  // namespace fp::triggers

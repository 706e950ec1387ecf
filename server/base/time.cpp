#include "base/time.hpp"

#include "base/error_code.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <cctype>

namespace fp {

std::string to_rfc3339(TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count(), clock.subseconds().count());
}

namespace {

/// Reads exactly `digits` decimal digits at `at`, moving it on; -1 when they are not there.
int read_digits(std::string_view text, std::size_t& at, int digits) {
  int value = 0;
  for (int i = 0; i < digits; ++i, ++at) {
    if (at >= text.size() || std::isdigit(static_cast<unsigned char>(text[at])) == 0) return -1;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

bool take(std::string_view text, std::size_t& at, std::string_view any_of) {
  if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

int read_fraction(std::string_view text, std::size_t& at) {
  int millis = 0;
  int scale = 100;
  const auto start = at;
  for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0; ++at, scale /= 10) {
    millis += (text[at] - '0') * scale;
  }
  return at == start ? -1 : millis;
}

}  // namespace

Result<TimePoint> parse_rfc3339(std::string_view text) {
  const auto bad = [&] {
    return Error(codes::time_syntax,
                 fmt::format("\"{}\" is not a time like 2026-01-31T08:15:00Z", echo(text)));
  };
  std::size_t at = 0;
  const int year = read_digits(text, at, 4);
  const bool dash1 = take(text, at, "-");
  const int month = read_digits(text, at, 2);
  const bool dash2 = take(text, at, "-");
  const int day = read_digits(text, at, 2);
  const bool separator = take(text, at, "Tt ");
  const int hour = read_digits(text, at, 2);
  const bool colon1 = take(text, at, ":");
  const int minute = read_digits(text, at, 2);
  const bool colon2 = take(text, at, ":");
  const int second = read_digits(text, at, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) return bad();
  if (!dash1 || !dash2 || !separator || !colon1 || !colon2) return bad();
  int millis = 0;
  if (take(text, at, ".") && (millis = read_fraction(text, at)) < 0) return bad();
  std::chrono::minutes offset{0};
  if (!take(text, at, "Zz")) {
    const bool minus = at < text.size() && text[at] == '-';
    if (!take(text, at, "+-")) return bad();
    const int hours = read_digits(text, at, 2);
    const bool colon = take(text, at, ":");
    const int minutes = read_digits(text, at, 2);
    if (hours < 0 || minutes < 0 || !colon || hours > 23 || minutes > 59) return bad();
    offset = std::chrono::minutes(hours * 60 + minutes) * (minus ? -1 : 1);
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)),
                                         std::chrono::day(unsigned(day))};
  if (at != text.size() || !date.ok() || hour > 23 || minute > 59 || second > 60) return bad();
  return TimePoint(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + Milliseconds(millis) - offset;
}

std::string to_display_text(Milliseconds span) {
  const auto ms = span.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f} s", double(ms) / 1000.0);
  if (ms < 3'600'000) return fmt::format("{} min {} s", ms / 60'000, ms / 1000 % 60);
  return fmt::format("{} h {} min", ms / 3'600'000, ms / 60'000 % 60);
}

TimePoint SystemClock::now() const {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

SteadyPoint SystemClock::steady_now() const {
  return std::chrono::steady_clock::now();
}

}  // namespace fp

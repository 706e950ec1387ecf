#pragma once

#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace fp {

using Milliseconds = std::chrono::milliseconds;
/// Wall-clock time as journals and people see it: UTC, to the millisecond.
using TimePoint = std::chrono::sys_time<Milliseconds>;
/// Monotonic time for leases and time-outs; means nothing outside this process.
using SteadyPoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

/// RFC 3339 with milliseconds and Z: 2026-01-31T08:15:00.000Z
std::string to_rfc3339(TimePoint time);
/// RFC 3339 date-time with any offset, fractions cut to milliseconds. Error: `time.syntax`.
Result<TimePoint> parse_rfc3339(std::string_view text);
/// "850 ms", "1.2 s", "3 min 20 s": for people.
std::string to_display_text(Milliseconds span);

/// The only source of time; simulated in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual SteadyPoint steady_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
  SteadyPoint steady_now() const override;
};

}  // namespace fp

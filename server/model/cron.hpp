#pragma once

#include "base/result.hpp"

#include <array>
#include <bitset>
#include <chrono>
#include <string_view>

namespace fp::model {

/// A cron expression as sets of allowed values (POSIX crontab, plus seconds, names, @nicknames, and Quartz's
/// L, W and
/// #). When both the day of month and the day of week are restricted, a day that fits either one counts, as
/// in Vixie cron; a field that begins with `*` is not restricted in this sense.
struct Cron {
  std::bitset<60> seconds;
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;           // 1 to 31
  std::bitset<13> months;         // 1 to 12
  std::bitset<7> weekdays;        // 0 = Sunday
  std::bitset<31> days_from_end;  // L is 0, L-3 is 3
  std::bitset<32> near_days;      // 15W: the working day nearest to the 15th, in the same month
  bool last_working_day = false;  // LW
  std::array<std::bitset<7>, 6> nth_weekdays{};  // [2]: 5#2, the second Friday; [0]: 5L, the last
  bool any_day = false;
  bool any_weekday = false;
  bool operator==(const Cron&) const = default;

  /// Does it fire on this day of the calendar?
  bool fits(std::chrono::year_month_day day) const;
  /// Does it fire in every hour? Then it is about real time, not about what clocks show
  /// (docs/reference/triggers.md).
  bool is_hourly() const { return hours.all(); }
};

/// Five fields (minute first) or six (second first); names of months and days in any case; ranges (of
/// weekdays also over the end of the week), steps, lists; L, L-3, 15W and LW as day of the month, 5L and 5#2
/// as day of the week, ? for either; @yearly @annually @monthly @weekly @daily @midnight @hourly. Errors:
/// cron.syntax (naming the field), cron.unsupported (L, W, # or ? where they mean nothing), cron.never_fires
/// (such as February 30th).
Result<Cron> parse_cron(std::string_view text);

}  // namespace fp::model

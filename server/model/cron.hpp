#pragma once

#include "base/result.hpp"

#include <bitset>
#include <string_view>

namespace fp::model {

/// A cron expression as sets of allowed values (POSIX crontab, plus seconds, names and @nicknames). When both
/// the day of month and the day of week are restricted, a day that fits either one counts, as in Vixie cron.
struct Cron {
  std::bitset<60> seconds;
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;     // 1 to 31
  std::bitset<13> months;   // 1 to 12
  std::bitset<7> weekdays;  // 0 = Sunday
  bool any_day = false;
  bool any_weekday = false;
  bool operator==(const Cron&) const = default;
};

/// Five fields (minute first) or six (second first); names of months and days in any case; ranges, steps,
/// lists;
/// @yearly @annually @monthly @weekly @daily @midnight @hourly. Errors: cron.syntax (naming the field),
/// cron.unsupported (L W # ?), cron.never_fires (such as February 30th).
Result<Cron> parse_cron(std::string_view text);

}  // namespace fp::model

#include "model/cron.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

/// What is accepted allows at least one value in every field.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto cron = fp::model::parse_cron({reinterpret_cast<const char*>(data), size});
  if (!cron) return 0;
  const auto& c = *cron;
  const bool has_days = c.days.any() || c.days_from_end.any() || c.near_days.any() || c.last_working_day;
  const bool has_weekdays =
      c.weekdays.any() || std::ranges::any_of(c.nth_weekdays, [](const auto& days) { return days.any(); });
  const bool whole =
      c.seconds.any() && c.minutes.any() && c.hours.any() && c.months.any() && has_days && has_weekdays;
  if (!whole) std::abort();
  return 0;
}

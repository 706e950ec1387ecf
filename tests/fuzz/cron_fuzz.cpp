#include "model/cron.hpp"

#include <cstdlib>
#include <string_view>

/// What is accepted allows at least one value in every field.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto cron = fp::model::parse_cron({reinterpret_cast<const char*>(data), size});
  if (!cron) return 0;
  const bool whole = cron->seconds.any() && cron->minutes.any() && cron->hours.any() && cron->days.any() &&
                     cron->months.any() && cron->weekdays.any();
  if (!whole) std::abort();
  return 0;
}

#include "base/error_code.hpp"
#include "model/check_trigger.hpp"
#include "model/cron.hpp"
#include "model/suggest.hpp"
#include "model/time_zone.hpp"

#include <fmt/format.h>

namespace fp::model {

void check_schedule(Reading& reading, const Json& config, const std::string& pointer) {
  auto& issues = reading.issues;
  ObjectReader reader(config, pointer, issues);
  const auto cron = reader.find_text("cron");
  reader.find_seconds("every_seconds", 1, 366.0 * 86'400);
  if (cron) {
    const auto parsed = parse_cron(*cron);
    if (!parsed) reader.report("cron", parsed.error().code, parsed.error().message);
  }
  if (config.is_object()) {
    int kinds = 0;
    for (const char* key : {"cron", "every_seconds", "at"}) kinds += int{config.get_object().contains(key)};
    if (kinds != 1)
      issues.push_back(
          {pointer, codes::field_missing.id, "a schedule has one of \"cron\", \"every_seconds\" and \"at\""});
  }
  if (const auto zone = reader.find_text("timezone"); zone && !is_time_zone(*zone)) {
    reader.report("timezone", codes::tz_unknown.id,
                  fmt::format("{} is no time zone of the tz database, such as Europe/Berlin", quote(*zone)));
  }
  reader.get_choice("overlap", {"skip", "queue_one", "queue_all", "cancel_running", "allow"}, 0);
  reader.get_choice("catch_up", {"skip", "latest", "all"}, 0);
  reader.find_whole("catch_up_max", 1, 10'000);
  reader.find_seconds("catch_up_window_seconds", 1, 366.0 * 86'400);
  reader.find_seconds("jitter_seconds", 0, 86'400);
  reader.get_choice("missing_hour", {"shift", "skip"}, 0);
  reader.get_choice("repeated_hour", {"first", "last", "both"}, 0);
  for (const char* key : {"start", "end", "anchor", "at"}) {
    if (const auto time = reader.find_text(key); time && !parse_rfc3339(*time)) {
      reader.report(key, codes::time_syntax.id,
                    fmt::format("{} is not a time like 2026-01-31T08:15:00Z", quote(*time)));
    }
  }
  reader.find_whole("pause_after_failures", 1, 1'000);
  reader.find_object("input");
  reader.finish();
}

}  // namespace fp::model

#include "base/error_code.hpp"
#include "model/cron.hpp"
#include "model/reading.hpp"
#include "model/suggest.hpp"
#include "model/time_zone.hpp"

#include <fmt/format.h>

#include <set>

namespace fp::model {

namespace {

void check_schedule(const Json& config, const std::string& pointer, std::vector<Issue>& issues) {
  ObjectReader reader(config, pointer, issues);
  const auto cron = reader.find_text("cron");
  reader.find_seconds("every_seconds", 1, 366.0 * 86'400);
  if (cron) {
    const auto parsed = parse_cron(*cron);
    if (!parsed) reader.report("cron", parsed.error().code, parsed.error().message);
  }
  const bool has_every = config.is_object() && config.get_object().contains("every_seconds");
  if (config.is_object() && cron.has_value() == has_every) {
    issues.push_back(
        {pointer, codes::field_missing.id, "a schedule has either \"cron\" or \"every_seconds\""});
  }
  if (const auto zone = reader.find_text("timezone"); zone && !is_time_zone(*zone)) {
    reader.report("timezone", codes::tz_unknown.id,
                  fmt::format("{} is no time zone of the tz database, such as Europe/Berlin", quote(*zone)));
  }
  reader.get_choice("overlap", {"skip", "queue_one", "queue_all", "cancel_running", "allow"}, 0);
  reader.get_choice("catch_up", {"skip", "latest", "all"}, 0);
  reader.find_whole("catch_up_max", 1, 10'000);
  reader.find_seconds("jitter_seconds", 0, 86'400);
  for (const char* key : {"start", "end"}) {
    if (const auto time = reader.find_text(key); time && !parse_rfc3339(*time)) {
      reader.report(key, codes::time_syntax.id,
                    fmt::format("{} is not a time like 2026-01-31T08:15:00Z", quote(*time)));
    }
  }
  reader.find_object("input");
  reader.finish();
}

void check_webhook(const Json& config, const std::string& pointer, std::vector<Issue>& issues) {
  ObjectReader reader(config, pointer, issues);
  reader.find_text("path");
  if (const auto* methods = reader.find_array("methods")) {
    static const std::set<std::string_view> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
    for (const auto& method : *methods) {
      if (!method.is_string() || !kMethods.contains(std::string_view(method.get_string()))) {
        reader.report("methods", codes::field_range.id,
                      fmt::format("{} is no HTTP method for a webhook", quote(to_display_text(method))));
      }
    }
  }
  reader.get_choice("respond", {"accepted", "result", "respond"}, 0);
  reader.find_seconds("wait_seconds", 0, 3600);
  reader.get_choice("signature", {"none", "hmac", "standard", "github", "stripe"}, 0);
  reader.find_text("credential");
  reader.finish();
}

void check_config(const std::string& type, const Json& config, const std::string& pointer,
                  std::vector<Issue>& issues) {
  if (type == "schedule") return check_schedule(config, pointer, issues);
  if (type == "webhook") return check_webhook(config, pointer, issues);
  ObjectReader reader(config, pointer, issues);
  if (type == "event") {
    reader.require("name");
    reader.find_text("name");
    reader.find_text("filter");
  }
  reader.finish();
}

}  // namespace

void check_triggers(Reading& reading, const Json& triggers) {
  if (!triggers.is_array()) {
    reading.issues.push_back({"/triggers", codes::field_type.id,
                              fmt::format("\"triggers\" must be a list, not {}", json_type_name(triggers))});
    return;
  }
  std::set<std::string> ids;
  for (std::size_t i = 0; i < triggers.get_array().size(); ++i) {
    const auto& trigger = triggers.get_array()[i];
    const auto pointer = fmt::format("/triggers/{}", i);
    ObjectReader reader(trigger, pointer, reading.issues);
    reader.require("id");
    reader.require("trigger_type");
    const auto id = reader.find_text("id");
    if (id && !ids.insert(*id).second)
      reader.report("id", codes::workflow_duplicate_id.id,
                    fmt::format("the trigger id {} is taken", quote(*id)));
    const std::vector<std::string_view> types = {"manual", "webhook", "schedule", "event"};
    const auto type = types[reader.get_choice("trigger_type", types, 0)];
    reader.get_bool("enabled", true);
    static const Json kEmpty = JsonObject();
    const auto* config = reader.find_object("trigger_config");
    check_config(std::string(type), config == nullptr ? kEmpty : *config, pointer + "/trigger_config",
                 reading.issues);
    reader.finish();
  }
}

}  // namespace fp::model

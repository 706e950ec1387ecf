#include "api/services.hpp"
#include "base/error_code.hpp"
#include "triggers/schedule.hpp"

#include <string>

namespace fp::api {

namespace {

Json to_json(triggers::Tick::Note note) {
  if (note == triggers::Tick::Note::none) return nullptr;
  return note == triggers::Tick::Note::shifted ? "shifted" : "repeated";
}

/// The mistake as one of a field of the body.
Error at_field(const char* field, Error error) {
  error.issues.push_back({std::string("/") + field, error.code, error.message});
  return error;
}

Error locate(const Error& error) {
  if (error.code == codes::tz_unknown.id) return at_field("timezone", error);
  if (error.code.starts_with("cron.")) return at_field("cron", error);
  return error;
}

Result<net::Response> preview(const Services& s, const Call& call) {
  const auto schedule = triggers::read_schedule(call.body);
  if (!schedule) return locate(schedule.error());
  auto after = s.clock.now();
  if (const auto text = json_string(call.body, "after"); !text.empty()) {
    const auto time = parse_rfc3339(text);
    if (!time) return at_field("after", time.error());
    after = *time;
  }
  const auto count = static_cast<std::size_t>(json_int(call.body, "count").value_or(10));
  JsonArray results;
  while (results.size() < count) {
    const auto tick = triggers::find_next(*schedule, after);
    if (!tick) break;
    results.push_back(JsonObject{{"at", to_rfc3339(tick->at)},
                                 {"local", triggers::to_local_text(*schedule, tick->at)},
                                 {"note", to_json(tick->note)}});
    after = tick->at;
  }
  return json_response(200, JsonObject{{"results", std::move(results)}});
}

}  // namespace

void install_schedules(Router& router, Services& s) {
  router.add_blocking(Operation::preview_schedule, [&s](const Call& call) { return preview(s, call); });
}

}  // namespace fp::api

#include "api/scheduler.hpp"
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

Json or_null(const std::optional<triggers::Tick>& tick) {
  return tick ? Json(to_rfc3339(tick->at)) : Json(nullptr);
}

Json to_json(const Services& s, const Scheduler::View& view) {
  const auto last = s.store.list_ticks(view.workflow, view.trigger.id, TimePoint::max(), 1);
  return JsonObject{{"workflow", to_string(view.workflow)},
                    {"workflow_name", view.workflow_name},
                    {"version", view.version},
                    {"trigger", view.trigger.id},
                    {"overlap", std::string(triggers::to_text(view.trigger.overlap))},
                    {"next_at", or_null(view.next)},
                    {"waits", view.waits},
                    {"last_tick_at", last.empty() ? Json(nullptr) : Json(to_rfc3339(last.front().tick))},
                    {"last_outcome", last.empty() ? Json(nullptr) : Json(last.front().outcome)}};
}

Json to_json(const ports::TickRecord& tick) {
  return JsonObject{{"tick", to_rfc3339(tick.tick)},
                    {"outcome", tick.outcome},
                    {"reason", tick.reason},
                    {"execution_id", tick.execution ? Json(to_string(*tick.execution)) : Json(nullptr)},
                    {"decided_at", to_rfc3339(tick.decided_at)}};
}

Result<net::Response> list(const Services& s, const Scheduler& scheduler, const Call& call) {
  std::optional<WorkflowId> wanted;
  if (call.has("workflow")) {
    const auto id = parse_uuid<WorkflowId>(call.text("workflow"));
    if (!id) return id.error();
    wanted = *id;
  }
  JsonArray results;
  for (const auto& view : scheduler.list()) {
    if (!wanted || view.workflow == *wanted) results.push_back(to_json(s, view));
  }
  const auto count = results.size();
  return json_response(200, JsonObject{{"count", count}, {"next", nullptr}, {"results", std::move(results)}});
}

Result<net::Response> list_fires(const Services& s, const Call& call) {
  constexpr std::size_t kMost = 100;
  JsonArray results;
  for (const auto& tick :
       s.store.list_ticks(call.id<WorkflowId>(), call.text("trigger"), TimePoint::max(), kMost))
    results.push_back(to_json(tick));
  const auto count = results.size();
  return json_response(200, JsonObject{{"count", count}, {"next", nullptr}, {"results", std::move(results)}});
}

}  // namespace

void install_schedules(Router& router, Services& s, Scheduler& scheduler) {
  router.add_blocking(Operation::preview_schedule, [&s](const Call& call) { return preview(s, call); });
  router.add_blocking(Operation::list_schedules,
                      [&s, &scheduler](const Call& call) { return list(s, scheduler, call); });
  router.add_blocking(Operation::list_schedule_fires, [&s](const Call& call) { return list_fires(s, call); });
}

}  // namespace fp::api

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

Json show_pause(const ports::ScheduleState& state) {
  if (!state.is_paused) return nullptr;
  return JsonObject{{"note", state.note},
                    {"by", state.changed_by},
                    {"at", to_rfc3339(state.changed_at)},
                    {"execution_id", state.execution ? Json(to_string(*state.execution)) : Json(nullptr)}};
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
                    {"paused", show_pause(view.state)},
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

/// What a person says about a schedule.
ports::ScheduleState read_state(const Services& s, const Call& call) {
  return {call.id<WorkflowId>(), call.text("trigger"), false,       json_string(call.body, "note"),
          call.subject.name,     s.clock.now(),        std::nullopt};
}

Result<net::Response> show_one(const Services& s, const Scheduler& scheduler, const Call& call) {
  const auto view = scheduler.find(call.id<WorkflowId>(), call.text("trigger"));
  if (!view) return view.error();
  return json_response(200, to_json(s, *view));
}

Result<net::Response> show_calendar(const Services& s, const Scheduler& scheduler, const Call& call) {
  constexpr std::size_t kMostNamed = 20;  // schedules of an hour
  const TimePoint from = std::chrono::floor<std::chrono::hours>(s.clock.now());
  const auto hours = static_cast<std::size_t>(call.has("hours") ? call.number("hours") : 24);
  std::vector<JsonArray> named(hours);
  std::vector<std::uint64_t> counts(hours);
  bool is_whole = true;
  std::uint64_t budget = 500'000;
  for (const auto& view : scheduler.list()) {
    if (!view.next) continue;
    const auto ticks =
        triggers::count_by_hour(view.trigger.schedule, std::max(view.next->at, from), from, hours, budget);
    is_whole = is_whole && budget > 0;
    for (std::size_t hour = 0; hour < hours; ++hour) {
      counts[hour] += ticks[hour];
      if (ticks[hour] > 0 && named[hour].size() < kMostNamed)
        named[hour].push_back(JsonObject{{"workflow", to_string(view.workflow)},
                                         {"workflow_name", view.workflow_name},
                                         {"trigger", view.trigger.id},
                                         {"count", ticks[hour]}});
    }
  }
  JsonArray results;
  for (std::size_t hour = 0; hour < hours; ++hour)
    results.push_back(JsonObject{{"at", to_rfc3339(from + std::chrono::hours(hour))},
                                 {"count", counts[hour]},
                                 {"schedules", std::move(named[hour])}});
  return json_response(200, JsonObject{{"is_whole", is_whole}, {"results", std::move(results)}});
}

}  // namespace

void install_schedules(Router& router, Services& s, Scheduler& scheduler) {
  router.add_blocking(Operation::preview_schedule, [&s](const Call& call) { return preview(s, call); });
  router.add_blocking(Operation::list_schedules,
                      [&s, &scheduler](const Call& call) { return list(s, scheduler, call); });
  router.add_blocking(Operation::list_schedule_fires, [&s](const Call& call) { return list_fires(s, call); });
  router.add_blocking(Operation::get_schedule_calendar,
                      [&s, &scheduler](const Call& call) { return show_calendar(s, scheduler, call); });
  router.add_blocking(Operation::pause_schedule, [&s, &scheduler](const Call& call) -> Result<net::Response> {
    if (const auto done = scheduler.pause(read_state(s, call)); !done) return done.error();
    return show_one(s, scheduler, call);
  });
  router.add_blocking(Operation::resume_schedule,
                      [&s, &scheduler](const Call& call) -> Result<net::Response> {
                        if (const auto done = scheduler.resume(read_state(s, call)); !done)
                          return done.error();
                        return show_one(s, scheduler, call);
                      });
  router.add(Operation::trigger_schedule, [&scheduler](const CallPtr& call, Reply& reply) {
    scheduler.start_now(call, std::move(reply));
  });
}

}  // namespace fp::api

#include "api/hooks.hpp"
#include "api/poller.hpp"
#include "api/scheduler.hpp"

namespace fp::api {

namespace {

constexpr std::size_t kMost = 200;

template <class View>
JsonObject problem(const View& view, const std::string& trigger, const char* kind, std::string detail) {
  return {{"workflow", to_string(view.workflow)},
          {"workflow_name", view.workflow_name},
          {"trigger", trigger},
          {"kind", kind},
          {"detail", std::move(detail)},
          {"by", ""},
          {"at", nullptr},
          {"execution_id", nullptr}};
}

void add_schedules(const Scheduler& scheduler, JsonArray& out) {
  for (const auto& view : scheduler.list_troubled(kMost)) {
    const auto& state = view.state;
    auto row = problem(view, view.trigger.id, state.is_paused ? "paused" : "missed", state.note);
    row["at"] = to_rfc3339(state.is_paused ? state.changed_at : *view.missed_at);
    if (state.is_paused) row["by"] = state.changed_by;
    if (state.is_paused && state.execution) row["execution_id"] = to_string(*state.execution);
    out.push_back(std::move(row));
  }
}

}  // namespace

/// What keeps published triggers from firing, all kinds in one answer: a page that shows it everywhere asks
/// once, however many triggers there are.
void install_trigger_problems(Router& router, Services& s) {
  router.add_blocking(Operation::list_trigger_problems, [&s](const Call&) -> Result<net::Response> {
    JsonArray results;
    add_schedules(s.scheduler, results);
    for (const auto& route : s.webhooks.list()) {
      if (lacks_secret(s, route->hook))
        results.push_back(problem(*route, route->hook.trigger, "secret_missing", ""));
    }
    for (const auto& view : s.poller.list()) {
      if (!view.error) continue;
      auto row = problem(view, view.trigger.id, "source", view.error->message);
      if (view.last_at) row["at"] = to_rfc3339(*view.last_at);
      results.push_back(std::move(row));
    }
    if (results.size() > kMost) results.resize(kMost);
    const auto count = results.size();
    return json_response(200,
                         JsonObject{{"count", count}, {"next", nullptr}, {"results", std::move(results)}});
  });
}

}  // namespace fp::api

#include "api/services.hpp"

#include <map>

namespace fp::api {

namespace {

using Response = net::Response;

Json percentiles(const ports::DurationHistogram& histogram) {
  const auto at = [&](double share) {
    const auto value = histogram.percentile(share);
    return value ? Json(value->count()) : Json(nullptr);
  };
  return JsonObject{{"p50", at(0.5)}, {"p95", at(0.95)}, {"p99", at(0.99)}};
}

/// Rollups added up.
struct Figures {
  ports::HourlyRollup sum;

  void add(const ports::HourlyRollup& row) {
    sum.completed += row.completed;
    sum.failed += row.failed;
    sum.cancelled += row.cancelled;
    sum.retries += row.retries;
    sum.duration.add(row.duration);
    sum.queue_wait.add(row.queue_wait);
  }
  Json to_resource() const {
    const auto ended = sum.completed + sum.failed;
    return JsonObject{
        {"completed", sum.completed},
        {"failed", sum.failed},
        {"cancelled", sum.cancelled},
        {"success_rate",
         ended == 0 ? Json(nullptr) : Json(static_cast<double>(sum.completed) / static_cast<double>(ended))},
        {"retries", sum.retries},
        {"duration_ms", percentiles(sum.duration)},
        {"queue_wait_ms", percentiles(sum.queue_wait)}};
  }
};

struct WorkflowFigures {
  Figures whole;
  std::map<std::string, Figures> steps;
};

Json to_resource(Services& s, const std::string& workflow, const WorkflowFigures& figures) {
  JsonArray steps;
  for (const auto& [step, sums] : figures.steps)
    steps.push_back(JsonObject{{"step", step}, {"figures", sums.to_resource()}});
  std::string name = workflow;
  if (const auto id = parse_uuid<WorkflowId>(workflow)) {
    if (const auto record = s.store.find_workflow(*id)) name = record->name;
  }
  return JsonObject{{"workflow", workflow},
                    {"name", name},
                    {"figures", figures.whole.to_resource()},
                    {"steps", std::move(steps)}};
}

Result<Response> get(Services& s, const Call& call) {
  ports::RollupFilter filter;
  filter.workflow = call.text("workflow");
  filter.with_steps = call.flag("steps");
  const auto now = s.clock.now();
  filter.since = std::chrono::floor<std::chrono::hours>(now) - std::chrono::hours(call.number("hours") - 1);
  filter.until = now;
  Figures total;
  std::map<std::string, WorkflowFigures> workflows;
  std::map<TimePoint, Figures> hours;
  for (const auto& row : s.store.list_rollups(filter)) {
    auto& workflow = workflows[row.workflow];
    if (!row.step.empty()) {
      workflow.steps[row.step].add(row);
      continue;
    }
    workflow.whole.add(row);
    total.add(row);
    hours[row.hour].add(row);
  }
  JsonArray by_workflow;
  for (const auto& [workflow, figures] : workflows) by_workflow.push_back(to_resource(s, workflow, figures));
  JsonArray by_hour;
  for (const auto& [hour, figures] : hours)
    by_hour.push_back(JsonObject{{"hour", to_rfc3339(hour)}, {"figures", figures.to_resource()}});
  JsonObject by_status;
  for (const auto& [status, count] : s.store.count_by_status()) by_status[status] = count;
  return json_response(200, JsonObject{{"since", to_rfc3339(filter.since)},
                                       {"until", to_rfc3339(filter.until)},
                                       {"by_status", std::move(by_status)},
                                       {"total", total.to_resource()},
                                       {"workflows", std::move(by_workflow)},
                                       {"hours", std::move(by_hour)}});
}

}  // namespace

void install_stats(Router& router, Services& s) {
  router.add_blocking(Operation::get_stats, [&s](Call& call) { return get(s, call); });
}

}  // namespace fp::api

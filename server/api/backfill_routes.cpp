#include "api/backfill.hpp"
#include "base/error_code.hpp"

#include <fmt/format.h>

namespace fp::api {

namespace {

Result<TimePoint> read_time(const Json& body, const char* key) {
  auto time = parse_rfc3339(json_string(body, key));
  if (time) return *time;
  auto error = time.error();
  error.issues.push_back({std::string("/") + key, error.code, error.message});
  return error;
}

Result<Backfill::Order> read_order(const Services& s, const Scheduler& scheduler, const Call& call) {
  const auto workflow = call.id<WorkflowId>();
  const auto view = scheduler.find(workflow, call.text("trigger"));
  if (!view) return view.error();
  const auto document = scheduler.find_document(workflow, call.text("trigger"));
  if (!document) return document.error();
  const auto from = read_time(call.body, "from");
  if (!from) return from.error();
  const auto until = read_time(call.body, "until");
  if (!until) return until.error();
  if (*from > *until || *until > s.clock.now())
    return Error(codes::field_range,
                 "a range of the past is from before until, and until is not in the future");
  const auto id =
      call.idempotency_key.empty()
          ? make_uuid7<ExecutionId>(s.clock.now(), s.rng)
          : derive_uuid<ExecutionId>("backfill " + call.idempotency_key + to_hex(call.fingerprint()));
  return Backfill::Order{id, *view, *document, plan_backfill(s.store, *view, *from, *until),
                         json_string(call.body, "overlap") != "allow"};
}

Json show_plan(const Backfill::Order& order) {
  const auto& ticks = order.plan.ticks;
  return JsonObject{{"id", nullptr},
                    {"workflow", to_string(order.view.workflow)},
                    {"trigger", order.view.trigger.id},
                    {"status", "dry_run"},
                    {"count", ticks.size()},
                    {"started_before", order.plan.started_before},
                    {"first", ticks.empty() ? Json(nullptr) : Json(to_rfc3339(ticks.front().at))},
                    {"last", ticks.empty() ? Json(nullptr) : Json(to_rfc3339(ticks.back().at))},
                    {"done", 0},
                    {"started", 0},
                    {"refused", 0},
                    {"error", nullptr}};
}

Result<net::Response> start(Services& s, const Scheduler& scheduler, Backfills& backfills, const Call& call) {
  auto order = read_order(s, scheduler, call);
  if (!order) return order.error();
  if (!order->plan.is_whole)
    return Error(
        codes::schedule_backfill_size,
        fmt::format("the range has more than {} ticks; take a shorter one", BackfillPlan::kMostTicks));
  const auto* dry_run = json_find(call.body, "dry_run");
  if (dry_run != nullptr && dry_run->get_bool()) return json_response(200, show_plan(*order));
  const auto job = backfills.start(s, std::move(*order));
  if (!job) return job.error();
  return json_response(202, (*job)->to_resource());
}

}  // namespace

void install_backfills(Router& router, Services& s, Scheduler& scheduler, Backfills& backfills) {
  router.add_blocking(Operation::start_backfill, [&s, &scheduler, &backfills](const Call& call) {
    return start(s, scheduler, backfills, call);
  });
  router.add_blocking(Operation::get_backfill, [&backfills](const Call& call) -> Result<net::Response> {
    const auto job = backfills.find(call.id<ExecutionId>("job"));
    if (!job) return Error(codes::not_found, "there is no such job; jobs end with the server's process");
    return json_response(200, job->to_resource());
  });
}

}  // namespace fp::api

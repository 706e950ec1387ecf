#include "api/bulk.hpp"
#include "api/filter.hpp"
#include "base/error_code.hpp"

namespace fp::api {

namespace {

using Response = net::Response;

/// More than this want a narrower filter, or a second job.
constexpr std::size_t kMostExecutions = 100'000;
constexpr std::size_t kPage = 1000;

/// What the action can still do something about, unless the filter says itself which.
ports::ExecutionFilter narrow(ports::ExecutionFilter filter, BulkJob::Action action) {
  if (!filter.status.empty()) return filter;
  if (action == BulkJob::Action::retry)
    filter.status = {"failed"};
  else
    filter.unfinished_only = true;
  return filter;
}

Result<Response> start(Services& s, BulkJobs& jobs, const Call& call) {
  const auto action =
      json_string(call.body, "action") == "cancel" ? BulkJob::Action::cancel : BulkJob::Action::retry;
  const auto& members = call.body.at("filter");
  auto filter = read_filter([&](std::string_view name) { return json_string(members, name); });
  if (!filter) return filter.error();
  *filter = narrow(std::move(*filter), action);
  const auto* dry_run = json_find(call.body, "dry_run");
  if (dry_run != nullptr && dry_run->get_bool()) {
    const auto count = s.store.count_executions(*filter, kMostExecutions);
    return json_response(200, JsonObject{{"id", nullptr},
                                         {"action", json_string(call.body, "action")},
                                         {"status", "dry_run"},
                                         {"count", count.count},
                                         {"count_is_exact", count.is_exact},
                                         {"done", 0},
                                         {"succeeded", 0},
                                         {"refused", 0},
                                         {"failures", JsonArray()}});
  }
  const auto id = call.idempotency_key.empty()
                      ? make_uuid7<ExecutionId>(s.clock.now(), s.rng)
                      : derive_uuid<ExecutionId>("bulk " + call.idempotency_key + to_hex(call.fingerprint()));
  if (const auto known = jobs.find(id)) return json_response(202, known->to_resource());
  std::vector<ExecutionId> found;
  std::optional<std::uint64_t> before;
  do {
    const auto page = s.store.list_executions(*filter, before, kPage);
    for (const auto& summary : page.items) found.push_back(summary.id);
    before = page.next;
  } while (before && found.size() < kMostExecutions);
  auto job = std::make_shared<BulkJob>(s, id, action);
  jobs.add(id, job);
  job->start(std::move(found), !before);
  return json_response(202, job->to_resource());
}

}  // namespace

void install_bulk(Router& router, Services& s) {
  const auto jobs = std::make_shared<BulkJobs>();
  router.add_blocking(Operation::start_bulk, [&s, jobs](Call& call) { return start(s, *jobs, call); });
  router.add_blocking(Operation::get_bulk, [jobs](Call& call) -> Result<Response> {
    const auto job = jobs->find(call.id<ExecutionId>("job"));
    if (!job) return Error(codes::not_found, "there is no such job; jobs end with the server's process");
    return json_response(200, job->to_resource());
  });
}

}  // namespace fp::api

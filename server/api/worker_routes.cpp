#include "api/services.hpp"
#include "api/worker_codec.hpp"
#include "base/error_code.hpp"

#include <fmt/format.h>

namespace fp::api {

using namespace fp::workers;
using Response = net::Response;

namespace {

Error unknown_worker() {
  return Error(codes::worker_unknown, "this server does not know the worker (any more)");
}

Json page_of(JsonArray results) {
  const auto count = results.size();
  return JsonObject{{"count", count}, {"next", nullptr}, {"results", std::move(results)}};
}

/// Functions are on disk before the worker hears that they are registered: a server that starts before its
/// workers knows them.
Result<Response> enroll(Services& s, Call& call) {
  auto registration = read_registration(call.body);
  if (!registration) return registration.error();
  std::vector<ports::TaskTypeRecord> changed;
  for (const auto& function : registration->functions) {
    const auto known = s.types.find(function.type);
    auto text = to_text(model::to_json(function));
    if (!known || to_text(model::to_json(*known)) != text)
      changed.push_back({function.type, std::move(text), s.clock.now()});
  }
  const auto id = s.workers.enroll(std::move(*registration));
  if (!id) return id.error();
  if (!changed.empty()) s.store.put_task_types(changed);
  const auto seconds = [](Milliseconds span) { return static_cast<double>(span.count()) / 1000; };
  return json_response(201, JsonObject{{"worker_id", to_string(*id)},
                                       {"heartbeat_seconds", seconds(s.workers.options().heartbeat)},
                                       {"lease_seconds", seconds(s.workers.options().lease_ttl)},
                                       {"most_result_bytes", kMostResultBytes}});
}

/// One report or log about one lease.
void exchange_one(Services& s, Reply reply, Exchange request) {
  s.workers.exchange(std::move(request), [reply = std::move(reply)](Result<ExchangeAnswer> answer) mutable {
    if (!answer) return reply(answer.error());
    if (!answer->lost.empty() || !answer->cancelled.empty())
      return reply(Error(codes::lease_lost, "the lease is over; whatever comes of this work is not needed"));
    reply(json_response(200, JsonObject{{"acknowledged", true}}));
  });
}

void install_leases(Router& router, Services& s) {
  router.add(Operation::renew_leases, [&s](const CallPtr& call, Reply& reply) {
    Exchange request;
    request.heartbeats = read_heartbeats(call->body);
    s.workers.exchange(std::move(request), [reply = std::move(reply)](Result<ExchangeAnswer> answer) mutable {
      if (!answer) return reply(answer.error());
      reply(json_response(
          200, JsonObject{{"cancelled", to_json(answer->cancelled)}, {"lost", to_json(answer->lost)}}));
    });
  });
  router.add(Operation::complete_lease, [&s](const CallPtr& call, Reply& reply) {
    Exchange request;
    request.reports.push_back({call->text("lease"), std::move(call->body.as_object()["result"])});
    exchange_one(s, std::move(reply), std::move(request));
  });
  router.add(Operation::fail_lease, [&s](const CallPtr& call, Reply& reply) {
    Exchange request;
    request.reports.push_back({call->text("lease"), read_reported_error(call->body.at("error"))});
    exchange_one(s, std::move(reply), std::move(request));
  });
  router.add(Operation::log_for_lease, [&s](const CallPtr& call, Reply& reply) {
    auto lines = read_lines(call->body.at("lines"), s.clock.now());
    if (!lines) return reply(lines.error());
    Exchange request;
    request.logs.push_back({call->text("lease"), std::move(*lines)});
    exchange_one(s, std::move(reply), std::move(request));
  });
}

void install_exchange(Router& router, Services& s) {
  router.add(Operation::exchange_with_worker, [&s](const CallPtr& call, Reply& reply) {
    auto request = read_exchange(call->body);
    if (!request) return reply(request.error());
    request->is_gone = call->request.is_gone;
    s.workers.exchange(call->id<WorkerId>(), std::move(*request),
                       [reply = std::move(reply)](Result<ExchangeAnswer> answer) mutable {
                         if (!answer) return reply(answer.error());
                         reply(json_response(200, to_json(*answer)));
                       });
  });
  router.add(Operation::lease_attempts, [&s](const CallPtr& call, Reply& reply) {
    auto request = read_exchange(call->body);
    if (!request) return reply(request.error());
    request->is_gone = call->request.is_gone;
    s.workers.exchange(call->id<WorkerId>(), std::move(*request),
                       [reply = std::move(reply)](Result<ExchangeAnswer> answer) mutable {
                         if (!answer) return reply(answer.error());
                         JsonArray leases;
                         for (const auto& lease : answer->leases) leases.push_back(to_json(lease));
                         reply(json_response(200, leases));
                       });
  });
}

}  // namespace

void install_workers(Router& router, Services& s) {
  router.add_blocking(Operation::register_worker, [&s](Call& call) { return enroll(s, call); });
  router.add_blocking(Operation::list_workers, [&s](Call&) -> Result<Response> {
    JsonArray results;
    for (const auto& worker : s.workers.list_workers()) results.push_back(to_json(worker));
    return json_response(200, page_of(std::move(results)));
  });
  router.add_blocking(Operation::list_queues, [&s](Call&) -> Result<Response> {
    JsonArray results;
    for (const auto& queue : s.workers.list_queues()) results.push_back(to_json(queue));
    return json_response(200, JsonObject{{"results", std::move(results)}});
  });
  router.add_blocking(Operation::drain_worker, [&s](Call& call) -> Result<Response> {
    if (!s.workers.drain(call.id<WorkerId>())) return unknown_worker();
    return json_response(202, JsonObject{{"status", "draining"}});
  });
  router.add_blocking(Operation::remove_worker, [&s](Call& call) -> Result<Response> {
    if (!s.workers.remove(call.id<WorkerId>())) return unknown_worker();
    return Response{204};
  });
  install_exchange(router, s);
  install_leases(router, s);
}

}  // namespace fp::api

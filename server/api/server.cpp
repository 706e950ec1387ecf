#include "api/server.hpp"

#include "api/bulk.hpp"
#include "base/assert.hpp"
#include "base/error_code.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fp::api {

namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kMostWaiting = 1000;
constexpr std::size_t kSlowThreads = 2;
constexpr std::size_t kMostSlowWaiting = 200;

void log_request(const OperationSpec* spec, const net::Request& request, unsigned status,
                 std::chrono::nanoseconds took) {
  if (status < 500 || status == 503) return;  // full or stopping is an answer, and counted in the metrics
  log(LogLevel::warning, "request failed",
      {{"request_id", request.id},
       {"method", request.method},
       {"route", spec == nullptr ? "none" : spec->path},
       {"status", status},
       {"ms", std::chrono::duration<double, std::milli>(took).count()}});
}

}  // namespace

Server::Server(ServerPorts p, ApiOptions options)
    : options_(std::move(options)),
      page_(options_.page),
      pool_(kThreads, kMostWaiting),
      slow_pool_(kSlowThreads, kMostSlowWaiting),
      waits_(p.hub_loop),
      hub_(p.runtime.journal(), p.store, pool_, p.hub_loop, p.clock),
      directory_(p.store, p.runtime.catalog(), p.types),
      hook_log_(p.store),
      services_{p.store,   p.runtime,  p.types, p.workers,  p.expressions, std::move(p.check_syntax),
                p.clock,   p.rng,      pool_,   directory_, waits_,        metrics_,
                webhooks_, scheduler_, events_, poller_,    options_},
      hooks_(services_, webhooks_, hook_log_),
      scheduler_(services_),
      events_(services_),
      poller_(services_),
      router_(pool_, slow_pool_, options_.worker_token,
              [this](const OperationSpec* spec, const net::Request& request, unsigned status,
                     std::chrono::nanoseconds took) {
                metrics_.on_request(spec, request.method, status, took);
                log_request(spec, request, status, took);
              }) {
  install_workflow_reads(router_, services_);
  install_workflow_writes(router_, services_);
  install_run(router_, services_);
  install_execution_reads(router_, services_);
  install_execution_control(router_, services_);
  install_retry(router_, services_);
  install_bulk(router_, services_);
  install_history(router_, services_);
  install_palette(router_, services_);
  install_templates(router_, services_);
  install_expressions(router_, services_);
  install_stats(router_, services_);
  install_workers(router_, services_);
  install_trigger_problems(router_, services_);
  install_schedules(router_, services_, scheduler_);
  install_events(router_, services_, events_);
  install_polls(router_, services_, poller_);
  install_backfills(router_, services_, scheduler_, backfills_);
  install_hooks(router_, services_, webhooks_, hook_log_, hooks_);
  install_system();
  const auto missing = router_.list_missing();
  FP_ASSERT(missing.empty(), "every operation of contract/openapi.yaml has a handler");
  for (const auto action : kActions)
    FP_ASSERT(is_known_action(action), "the policy decides about every action");
  metrics_.add_gauge("flowpilot_ws_clients", "Open live connections",
                     [this] { return static_cast<double>(hub_.count_subscribers()); });
  metrics_.add_gauge("flowpilot_waiting_requests", "Requests that wait for an execution to end",
                     [this] { return static_cast<double>(waits_.count()); });
  for (const char* outcome : {"triggered", "deduplicated", "ignored", "captured", "refused"}) {
    metrics_.add_counter("flowpilot_webhook_requests_total", fmt::format("outcome=\"{}\"", outcome),
                         "Requests to webhooks, by what became of them",
                         [this, outcome] { return static_cast<double>(hook_log_.count(outcome)); });
  }
  metrics_.add_counter("flowpilot_schedule_missed_total", "", "Ticks of schedules that nobody was there for",
                       [this] { return static_cast<double>(scheduler_.missed()); });
  metrics_.add_gauge("flowpilot_schedules_paused", "Schedules that are paused",
                     [this] { return static_cast<double>(scheduler_.count_paused()); });
  metrics_.add_gauge("flowpilot_schedule_lag_seconds", "How long the tick that waits longest is overdue",
                     [this] { return scheduler_.lag_seconds(); });
  metrics_.add_gauge("flowpilot_event_lag_seconds", "Since the event that waits longest was published",
                     [this] { return events_.lag_seconds(); });
  metrics_.add_gauge("flowpilot_events_handled", "Events handed out since the start",
                     [this] { return static_cast<double>(events_.count_handled()); });
  metrics_.add_gauge("flowpilot_api_queue_depth", "Requests that wait for a thread",
                     [this] { return static_cast<double>(pool_.waiting()); });
}

Server::~Server() {
  stop();
}

std::vector<runtime::Observer*> Server::observers() {
  return {&metrics_, &hub_, &scheduler_, &events_, &waits_};  // counted and shown before anybody is answered
}

void Server::set_ready() {
  ready_ = true;
}

void Server::begin_drain() {
  draining_ = true;
  scheduler_.stop();
  events_.stop();
  poller_.stop();
  backfills_.stop();
}

void Server::set_failure(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = error;
}

void Server::stop() {
  scheduler_.stop();
  events_.stop();
  poller_.stop();
  backfills_.stop();
  pool_.stop();
  slow_pool_.stop();
  hook_log_.stop();
}

void Server::handle(net::Request request, Respond respond) {
  // What workers report is work that is to end well.
  const bool from_worker =
      request.path.starts_with("/api/workers/") || request.path.starts_with("/api/leases/");
  const bool is_hook = request.path.starts_with("/hooks/");
  const bool is_hook_test = request.path.starts_with("/hooks-test/");
  const bool changes =
      (request.method != "GET" && request.method != "HEAD" && !from_worker) || is_hook || is_hook_test;
  if (changes && draining_.load(std::memory_order_relaxed))
    return respond(
        problem_response(Error(codes::server_draining, "the server is stopping"), request.path, request.id));
  if (options_.workers_only && !from_worker)
    return respond(problem_response(Error(codes::not_found, "here is nothing but the worker protocol"),
                                    request.path, request.id));
  if (is_hook) return hooks_.handle(std::move(request), std::move(respond));
  if (is_hook_test) return hooks_.handle_test(std::move(request), std::move(respond));
  if (Page::owns(request.path)) return serve_page(request, std::move(respond));
  router_.handle(std::move(request), std::move(respond));
}

/// What is no route: the page, from memory, on the network's thread.
void Server::serve_page(const net::Request& request, Respond respond) {
  const auto began = std::chrono::steady_clock::now();
  const auto allowed = decide_access({"local", request.from_loopback}, "system.public", "");
  auto answer = allowed ? page_.answer(request) : Result<net::Response>(allowed.error());
  auto response = answer ? std::move(*answer) : problem_response(answer.error(), request.path, request.id);
  if (response.status == 405) response.headers.emplace_back("Allow", "GET, HEAD");
  metrics_.on_request(nullptr, request.method, response.status, std::chrono::steady_clock::now() - began);
  respond(std::move(response));
}

net::Response Server::refuse(unsigned status, std::string_view code, std::string detail,
                             const std::string& request_id) {
  auto response = problem_response(Error(std::string(code), std::move(detail), false), "", request_id);
  response.status = status;
  return response;
}

/// `/ws/executions/` and `/ws/executions/{id}/`. The origin is checked before the upgrade: a page of another
/// origin gets nothing, a program without an Origin is judged like any request.
std::variant<std::unique_ptr<net::WebSocketListener>, net::Response> Server::upgrade(
    const net::Request& request) {
  const auto problem = [&](const Error& error) { return problem_response(error, request.path, request.id); };
  const auto* origin = net::find_field(request.headers, "Origin");
  const auto* host = net::find_field(request.headers, "Host");
  if (origin != nullptr &&
      (host == nullptr || (*origin != "http://" + *host && *origin != "https://" + *host)))
    return problem(Error(codes::origin_forbidden, "a page of another origin may not listen here"));
  constexpr std::string_view kPrefix = "/ws/executions";
  if (options_.workers_only)
    return problem(Error(codes::not_found, "here is nothing but the worker protocol"));
  const Error unknown(codes::not_found, "live updates are at /ws/executions/ and /ws/executions/{id}/");
  if (!request.path.starts_with(kPrefix)) return problem(unknown);
  auto rest = request.path.substr(kPrefix.size());
  while (rest.starts_with('/')) rest.erase(0, 1);
  while (rest.ends_with('/')) rest.pop_back();
  if (const auto allowed = decide_access({"local", request.from_loopback}, "execution.read", rest); !allowed)
    return problem(allowed.error());
  std::optional<std::uint64_t> after;
  for (const auto& [key, value] : request.query) {
    std::uint64_t number = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (key != "after" || rest.empty() || after || ec != std::errc() || end != value.data() + value.size())
      return problem(
          Error(codes::query_invalid, "the only parameter is after=SEQ, a whole number, for one execution"));
    after = number;
  }
  if (rest.empty()) return hub_.listen_to_list();
  const auto id = parse_uuid<ExecutionId>(rest);
  if (!id) return problem(unknown);
  return hub_.listen(*id, after);
}

}  // namespace fp::api

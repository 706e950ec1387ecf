#pragma once

#include "api/backfill.hpp"
#include "api/event_hub.hpp"
#include "api/hooks.hpp"
#include "api/live/hub.hpp"
#include "api/poller.hpp"
#include "api/scheduler.hpp"
#include "api/services.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

namespace fp::api {

/// What the API stands on. All of it outlives the server.
struct ServerPorts {
  ports::Store& store;
  runtime::Runtime& runtime;
  const model::TaskTypeRegistry& types;
  workers::WorkerHub& workers;
  ports::ExpressionEvaluator& expressions;
  model::SyntaxCheck check_syntax;
  const Clock& clock;
  Rng& rng;
  ports::Loop& hub_loop;  // a loop of its own: feeds and time-outs of waiting requests
};

/// The API behind a network server: every route of contract/openapi.yaml and the two WebSocket feeds.
/// Thread-safe. The order of its end: the network server stops, then stop(), then the runtime.
class Server final : public net::Handler {
 public:
  Server(ServerPorts ports, ApiOptions options);
  ~Server() override;

  /// Those who must hear of what is recorded: add each to the runtime before it starts.
  std::vector<runtime::Observer*> observers();
  Metrics& metrics() { return metrics_; }
  void set_ready();
  /// Takes up the webhooks and schedules of everything that is published. Blocks; before it webhooks answer
  /// 503.
  void load_triggers() {
    scheduler_.load_states();
    directory_.for_each_published([this](const KnownWorkflow& workflow) {
      hooks_.take_up(workflow);
      scheduler_.take_up(workflow);
      events_.take_up(workflow);
      poller_.take_up(workflow);
    });
    hook_log_.start();
    hooks_.start();
    scheduler_.start();
    events_.start();
    poller_.start();
  }
  /// /readyz says so from now on, and new work is refused.
  void begin_drain();
  /// Requests that wait for a result are told that their execution goes on.
  void release_waits() { waits_.release(); }
  void set_failure(const Error& error);
  /// Ends the threads that handlers run on. Idempotent.
  void stop();

  void handle(net::Request request, Respond respond) override;
  std::variant<std::unique_ptr<net::WebSocketListener>, net::Response> upgrade(
      const net::Request& request) override;
  net::Response refuse(unsigned status, std::string_view code, std::string detail,
                       const std::string& request_id) override;

 private:
  void install_system();
  void serve_page(const net::Request& request, Respond respond);
  Result<net::Response> get_readiness() const;

  ApiOptions options_;
  Page page_;
  Pool pool_;
  Pool slow_pool_;
  Metrics metrics_;
  EndWaits waits_;
  Hub hub_;
  Directory directory_;
  triggers::WebhookRoutes webhooks_;
  HookLog hook_log_;
  Services services_;
  Hooks hooks_;
  Scheduler scheduler_;
  EventHub events_;
  Poller poller_;
  Backfills backfills_;
  Router router_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> draining_{false};
  mutable std::mutex mutex_;
  std::optional<Error> failure_;  // guarded by mutex_
};

}  // namespace fp::api

#pragma once

#include "api/hook_delivery.hpp"
#include "api/hook_log.hpp"
#include "api/hook_tests.hpp"
#include "api/services.hpp"
#include "net/handler.hpp"
#include "triggers/webhook_routes.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace fp::api {

/// Requests to /hooks/: checked, then executions, then answers. A 2xx is sent after the start is on disk, and
/// a delivery that comes again starts nothing again. Nothing that identifies the caller (Authorization,
/// Cookie, tokens) reaches the execution or the log of requests. Thread-safe.
class Hooks {
 public:
  Hooks(Services& services, triggers::WebhookRoutes& routes, HookLog& log)
      : s_(services), routes_(routes), log_(log) {}

  /// Listens for the webhooks of a published workflow, when the server starts.
  void take_up(const KnownWorkflow& workflow);
  /// All are there. Before that requests get 503.
  void start() { is_loaded_ = true; }
  void handle(net::Request request, net::Handler::Respond respond);
  /// Requests to /hooks-test/: for the webhook of a draft, while it was told to listen.
  void handle_test(net::Request request, net::Handler::Respond respond);
  /// Whether it listens; with `wanted` it begins to, or stops. Blocks.
  Result<Json> listen_for_test(const WorkflowId& workflow, const std::string& trigger,
                               std::optional<HookTests::Armed> wanted);
  /// Starts an execution with the input of a recorded request, whatever its signature and delivery id were.
  void replay(const CallPtr& call, Reply reply, const WorkflowId& workflow, const std::string& trigger,
              const HookRecord& record);

 private:
  void answer(const HookDeliveryPtr& delivery, Result<net::Response> result);
  void allow_origin(const HookDelivery& delivery, net::Response& response) const;
  net::Response preflight(const net::Request& request) const;
  Result<void> admit(HookDelivery& delivery);
  Result<void> take_turn(const triggers::WebhookRoute& route);
  void receive_test(const HookDeliveryPtr& delivery);
  // The way of a request: each step goes on to the next, or answers.
  void receive(const HookDeliveryPtr& delivery);
  void consider(const HookDeliveryPtr& delivery);
  void identify(const HookDeliveryPtr& delivery);
  void start_execution(const HookDeliveryPtr& delivery);
  void ask(const HookDeliveryPtr& delivery, const std::shared_ptr<const model::Template>& wanted,
           std::string_view code, UniqueFunction<void(const Json&)> then);
  bool wait_for_end(const HookDeliveryPtr& delivery, const ExecutionId& id);
  void answer_as_before(const HookDeliveryPtr& delivery);

  Services& s_;
  triggers::WebhookRoutes& routes_;
  HookLog& log_;
  HookTests tests_;
  std::atomic<bool> is_loaded_{false};
  struct Turns {
    TimePoint minute{};
    std::uint32_t taken = 0;
  };
  std::mutex turns_mutex_;
  std::map<std::pair<WorkflowId, std::string>, Turns> turns_;  // guarded by turns_mutex_; those with a limit
};

void install_hooks(Router& router, Services& services, triggers::WebhookRoutes& routes, HookLog& log,
                   Hooks& hooks);

/// The routes that a workflow is to have with this record and published document.
std::vector<triggers::WebhookRoutePtr> list_hook_routes(const KnownWorkflow& workflow);

/// Is none of the secrets here that may have signed its requests? Then it refuses all of them.
bool lacks_secret(const Services& services, const triggers::Webhook& hook);

}  // namespace fp::api

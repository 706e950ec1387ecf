#pragma once

#include "api/hook_log.hpp"
#include "base/hash.hpp"
#include "model/workflow.hpp"
#include "net/handler.hpp"
#include "triggers/webhook_routes.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace fp::api {

/// One request to a webhook on its way to an answer.
struct HookDelivery {
  net::Request request;
  net::Handler::Respond respond;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  triggers::WebhookRoutePtr route;
  std::shared_ptr<const model::Workflow> workflow;  // that it starts; null at a test URL that starts nothing
  std::uint32_t version = 0;                        // of it
  JsonObject params;
  Value envelope;  // {method, path, params, query, headers, body, raw?}
  Value input;
  std::string delivery_id;
  std::string key;  // of the delivery among all requests of this server; "" without an id
  Hash256 fingerprint{};
  HookRecord record;
};
using HookDeliveryPtr = std::shared_ptr<HookDelivery>;
using HookSecrets = std::map<std::string, std::string, std::less<>>;

/// The value of the header, or "".
std::string_view header_of(const net::Request& request, std::string_view name);
/// Signature, body, delivery id: all that needs no other part of the server. Credentials are hidden in what
/// the execution gets. Errors: webhook.*.
Result<void> read_delivery(HookDelivery& delivery, const HookSecrets& secrets, TimePoint now);
/// Equal words are one delivery of this webhook. A body that differs makes it another one under the same
/// name, unless it was the words that were to tell deliveries apart.
void name_delivery(HookDelivery& delivery, std::string_view kind, std::string_view words, bool with_body);

}  // namespace fp::api

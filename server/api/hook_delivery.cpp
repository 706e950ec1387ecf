#include "api/hook_delivery.hpp"

#include "base/error_code.hpp"
#include "base/text.hpp"
#include "triggers/header_value.hpp"
#include "triggers/webhook_body.hpp"
#include "triggers/webhook_signature.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

namespace {

using triggers::Scheme;
using triggers::Webhook;

constexpr std::size_t kMostIdBytes = 256;
constexpr std::string_view kHidden = "[hidden]";
constexpr std::string_view kCredentials[] = {"authorization", "proxy-authorization", "cookie"};

/// Names in lower case; those that repeat are joined, as RFC 9110 section 5.3 has it.
JsonObject show_headers(const net::Request& request, const Webhook& hook) {
  JsonObject out;
  const auto own_secret = hook.scheme == Scheme::token ? triggers::to_lower(hook.header) : std::string();
  for (const auto& [name, value] : request.headers) {
    const auto key = triggers::to_lower(name);
    const bool is_hidden =
        key == own_secret || std::ranges::find(kCredentials, key) != std::end(kCredentials);
    auto text = is_hidden ? std::string(kHidden) : is_utf8(value) ? value : std::string("(not UTF-8)");
    auto* known = out.if_contains(key);
    if (known == nullptr)
      out.emplace(key, std::move(text));
    else if (!is_hidden)
      *known = std::string(known->get_string()) + ", " + text;
  }
  return out;
}

JsonObject show_query(const net::Request& request) {
  JsonObject out;
  for (const auto& [name, value] : request.query) {
    auto* known = out.if_contains(name);
    if (known == nullptr)
      out.emplace(name, value);
    else if (known->is_array())
      known->get_array().emplace_back(value);
    else
      *known = JsonArray{Json(*known), Json(value)};
  }
  return out;
}

Result<void> check_signature(HookDelivery& d, const HookSecrets& known, TimePoint now) {
  const auto& hook = d.route->hook;
  std::vector<std::string> secrets;
  for (const auto& name : hook.secrets) {
    const auto found = known.find(name);
    if (found != known.end()) secrets.push_back(found->second);
  }
  if (hook.scheme != Scheme::none && secrets.empty())
    return Error(codes::webhook_secret_missing,
                 "this server was started without the secret of this webhook, so it can trust nobody");
  d.record.signature = hook.scheme == Scheme::none ? "none" : "refused";
  const auto header = [&d](std::string_view name) { return header_of(d.request, name); };
  auto held = triggers::check_signature(hook, secrets, header, d.request.body, now);
  if (held && hook.scheme != Scheme::none) d.record.signature = "ok";
  return held;
}

}  // namespace

std::string_view header_of(const net::Request& request, std::string_view name) {
  const auto* found = net::find_field(request.headers, name);
  return found == nullptr ? std::string_view() : std::string_view(*found);
}

Result<void> read_delivery(HookDelivery& d, const HookSecrets& secrets, TimePoint now) {
  const auto& hook = d.route->hook;
  if (auto held = check_signature(d, secrets, now); !held) return held;
  auto body = triggers::read_body(header_of(d.request, "Content-Type"), d.request.body);
  if (!body) return body.error();
  d.delivery_id = header_of(
      d.request, hook.delivery_header.empty() ? "Idempotency-Key" : std::string_view(hook.delivery_header));
  if (d.delivery_id.empty() && hook.scheme == Scheme::stripe) d.delivery_id = json_string(*body, "id");
  if (d.delivery_id.size() > kMostIdBytes)
    return Error(codes::webhook_id,
                 fmt::format("the id of a delivery has at most {} characters", kMostIdBytes));
  JsonObject envelope{{"method", d.request.method},
                      {"path", d.request.path},
                      {"params", std::move(d.params)},
                      {"query", show_query(d.request)},
                      {"headers", show_headers(d.request, hook)},
                      {"body", *body}};
  if (hook.gives_raw) envelope.emplace("raw", triggers::to_base64(d.request.body));
  d.envelope = make_value(std::move(envelope));
  d.input = hook.gives_body ? make_value(std::move(*body)) : d.envelope;
  return {};
}

void name_delivery(HookDelivery& d, std::string_view kind, std::string_view words, bool with_body) {
  const auto all =
      fmt::format("{} {} {}{}", to_string(d.route->workflow), d.route->hook.trigger, kind, words);
  d.key = "hook:" + to_hex(hash_256(all));
  d.fingerprint = with_body
                      ? hash_256(fmt::format("{} {}\n{}", d.request.method, d.request.target, d.request.body))
                      : hash_256(all);
}

}  // namespace fp::api

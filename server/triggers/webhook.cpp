#include "triggers/webhook.hpp"

#include "base/hash.hpp"

#include <algorithm>
#include <array>

namespace fp::triggers {

namespace {

constexpr std::array<std::string_view, 7> kSchemes{"none",     "token",  "basic", "hmac",
                                                   "standard", "github", "stripe"};
constexpr std::array<std::string_view, 3> kAnswers{"accepted", "result", "respond"};

template <class Enum, std::size_t N>
Enum choose(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return static_cast<Enum>(found == names.end() ? 0 : found - names.begin());
}

std::vector<std::string> texts(const Json& config, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = json_find(config, key);
  if (value != nullptr && value->is_string()) out.emplace_back(value->get_string());
  if (value == nullptr || !value->is_array()) return out;
  for (const auto& item : value->get_array()) {
    if (item.is_string()) out.emplace_back(item.get_string());
  }
  return out;
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto to = std::min(path.find('/'), path.size());
    if (to > 0) out.emplace_back(path.substr(0, to));
    path.remove_prefix(std::min(to + 1, path.size()));
  }
  return out;
}

std::string join(const std::vector<std::string>& segments) {
  std::string out;
  for (const auto& segment : segments) out += (out.empty() ? "" : "/") + segment;
  return out;
}

Milliseconds seconds(const Json& config, std::string_view key, Milliseconds fallback) {
  const auto* value = json_find(config, key);
  return value != nullptr && value->is_number()
             ? Milliseconds(static_cast<std::int64_t>(value->to_number<double>() * 1000))
             : fallback;
}

std::shared_ptr<const model::Template> expression(const Json& config, std::string_view key) {
  const auto* value = json_find(config, key);
  if (value == nullptr) return nullptr;
  std::vector<Issue> issues;  // it was checked with the document
  return std::make_shared<const model::Template>(model::Template::parse(*value, "", issues));
}

std::vector<IpNetwork> networks(const Json& config, std::string_view key) {
  std::vector<IpNetwork> out;
  for (const auto& text : texts(config, key)) {
    if (const auto network = parse_network(text)) out.push_back(*network);
  }
  return out;
}

void read_signature(const Json& config, Webhook& out) {
  out.scheme = choose<Scheme>(kSchemes, json_string(config, "signature"));
  out.secrets = texts(config, "secret");
  out.header = json_string(config, "signature_header");
  out.prefix = json_string(config, "signature_prefix");
  out.is_base64 = json_string(config, "signature_encoding") == "base64";
  out.tolerance = seconds(config, "tolerance_seconds", out.tolerance);
  out.delivery_header = json_string(config, "delivery_header");
  if (out.header.empty() && out.scheme == Scheme::hmac) out.header = "X-Signature";
  if (out.header.empty() && out.scheme == Scheme::token) out.header = "X-Webhook-Token";
  if (out.delivery_header.empty() && out.scheme == Scheme::standard) out.delivery_header = "webhook-id";
  if (out.delivery_header.empty() && out.scheme == Scheme::github) out.delivery_header = "X-GitHub-Delivery";
}

Webhook read(const Json& trigger, const Json& document, std::string_view workflow) {
  static const Json kNothing = JsonObject();
  const auto* found = json_find(trigger, "trigger_config");
  const auto& config = found == nullptr ? kNothing : *found;
  Webhook out;
  out.trigger = json_string(trigger, "id");
  out.segments = split(json_string(config, "path"));
  if (out.segments.empty())
    out.segments = {to_hex(hash_128(std::string("webhook ") + std::string(workflow) + " " + out.trigger))};
  out.path = join(out.segments);
  out.methods = texts(config, "methods");
  if (out.methods.empty()) out.methods = {"POST"};
  out.answer = choose<Webhook::Answer>(kAnswers, json_string(config, "respond"));
  out.wait = seconds(config, "wait_seconds", out.wait);
  const auto input = json_string(config, "input");
  const auto* schema = json_find(document, "inputs");
  const auto* raw = json_find(config, "raw");
  out.gives_raw = raw != nullptr && raw->is_bool() && raw->get_bool();
  const bool is_schema = schema != nullptr && schema->is_object();
  out.gives_body = input == "body" || (input.empty() && is_schema && !out.gives_raw);
  out.only_if = expression(config, "only_if");
  out.dedupe = expression(config, "dedupe");
  out.addresses = networks(config, "allow_addresses");
  read_signature(config, out);
  out.rate_per_minute = static_cast<std::uint32_t>(json_int(config, "rate_per_minute").value_or(0));
  out.origins = texts(config, "cors_origins");
  return out;
}

std::vector<const Json*> list_webhooks(const Json& document) {
  std::vector<const Json*> out;
  const auto* triggers = json_find(document, "triggers");
  if (triggers == nullptr || !triggers->is_array()) return out;
  for (const auto& trigger : triggers->get_array()) {
    if (json_string(trigger, "trigger_type") == "webhook") out.push_back(&trigger);
  }
  return out;
}

}  // namespace

std::vector<Webhook> read_webhooks(const Json& document, std::string_view workflow) {
  std::vector<Webhook> out;
  for (const auto* trigger : list_webhooks(document)) {
    const auto* enabled = json_find(*trigger, "enabled");
    const bool is_on = enabled == nullptr || !enabled->is_bool() || enabled->get_bool();
    if (is_on) out.push_back(read(*trigger, document, workflow));
  }
  return out;
}

std::optional<Webhook> find_webhook(const Json& document, std::string_view workflow, std::string_view id) {
  for (const auto* trigger : list_webhooks(document)) {
    if (json_string(*trigger, "id") == id) return read(*trigger, document, workflow);
  }
  return std::nullopt;
}

std::string_view to_text(Scheme scheme) {
  return kSchemes[static_cast<std::size_t>(scheme)];
}

std::string_view to_text(Webhook::Answer answer) {
  return kAnswers[static_cast<std::size_t>(answer)];
}

}  // namespace fp::triggers

#include "base/error_code.hpp"
#include "base/ip_address.hpp"
#include "model/check_trigger.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace fp::model {

namespace {

/// Segments of letters, digits and -._~, or :name; so no encoding and no dots that climb.
bool is_webhook_path(std::string_view path) {
  constexpr std::size_t kMostBytes = 256;
  if (path.empty() || path.size() > kMostBytes) return false;
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  while (!path.empty()) {
    auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(segment.size() + 1, path.size()));
    if (segment.starts_with(':')) segment.remove_prefix(1);
    const bool is_plain = std::all_of(segment.begin(), segment.end(), [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
    });
    if (segment.empty() || segment == "." || segment == ".." || !is_plain) return false;
  }
  return true;
}

/// A text or a list of texts that `is_right` likes.
template <class Test>
void check_texts(ObjectReader& reader, const char* key, Test is_right, const char* what) {
  const auto* value = reader.find(key);
  if (value == nullptr) return;
  const auto check = [&](const Json& one) {
    if (!one.is_string() || !is_right(std::string_view(one.get_string())))
      reader.report(key, codes::field_range.id, fmt::format("{} is {}", quote(to_display_text(one)), what));
  };
  if (!value->is_array()) return check(*value);
  for (const auto& one : value->get_array()) check(one);
}

bool is_secret_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isupper(c) || std::isdigit(c) || c == '_';
  });
}

bool is_header_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_';
  });
}

void check_signature(ObjectReader& reader, const std::string& pointer, const Json& config,
                     std::vector<Issue>& issues) {
  const auto scheme =
      reader.get_choice("signature", {"none", "token", "basic", "hmac", "standard", "github", "stripe"}, 0);
  check_texts(reader, "secret", is_secret_name,
              "no name of a secret: capital letters, digits and _, as in GITHUB for FLOWPILOT_SECRET_GITHUB");
  check_texts(reader, "signature_header", is_header_name, "no name of a header");
  check_texts(reader, "delivery_header", is_header_name, "no name of a header");
  reader.find_text("signature_prefix");
  reader.get_choice("signature_encoding", {"hex", "base64"}, 0);
  reader.find_seconds("tolerance_seconds", 1, 86'400);
  const bool has_secret = config.is_object() && config.get_object().contains("secret");
  if (scheme != 0 && !has_secret)
    issues.push_back(
        {pointer + "/secret", codes::field_missing.id, "a signature needs the name of its secret"});
}

}  // namespace

void check_webhook(Reading& reading, const Json& config, const std::string& pointer) {
  auto& issues = reading.issues;
  ObjectReader reader(config, pointer, issues);
  check_texts(reader, "path", is_webhook_path,
              "no path of a webhook: words of letters, digits and -._~, or :name, with / between them");
  if (const auto* methods = reader.find_array("methods")) {
    static const std::set<std::string_view> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
    for (const auto& method : *methods) {
      if (!method.is_string() || !kMethods.contains(std::string_view(method.get_string()))) {
        reader.report("methods", codes::field_range.id,
                      fmt::format("{} is no HTTP method for a webhook", quote(to_display_text(method))));
      }
    }
  }
  reader.get_choice("respond", {"accepted", "result", "respond"}, 0);
  reader.find_seconds("wait_seconds", 0, 300);
  reader.get_choice("input", {"request", "body"}, 0);
  const bool gives_raw = reader.get_bool("raw", false);
  if (gives_raw && json_string(config, "input") == "body")
    reader.report("raw", codes::field_range.id,
                  "\"raw\" stands beside the body in the whole request: take \"input: request\"");
  check_trigger_condition(reading, reader, pointer, "only_if");
  const auto found = reading.trigger_expressions.size();
  check_trigger_expression(reading, reader, pointer, "dedupe");
  if (reading.trigger_expressions.size() > found && reading.trigger_expressions.back().is_constant())
    reader.report("dedupe", codes::field_type.id,
                  "\"dedupe\" names what tells deliveries apart, such as \"{{ input.body.order_id }}\"");
  check_texts(
      reader, "allow_addresses", [](std::string_view text) { return parse_network(text).has_value(); },
      "no address or network, such as 192.0.2.7 or 2001:db8::/32");
  reader.find_whole("rate_per_minute", 1, 1'000'000);
  check_texts(
      reader, "cors_origins",
      [](std::string_view origin) {
        return origin == "*" || origin.starts_with("https://") || origin.starts_with("http://");
      },
      "no origin, such as https://www.example.org");
  check_signature(reader, pointer, config, issues);
  reader.finish();
}

}  // namespace fp::model

#include "app/client/api_client.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"

#include <fmt/format.h>

namespace fp::app {

namespace {

/// Longer than any wait a request may ask for.
constexpr Milliseconds kTimeout{310'000};

Error to_error(const net::Response& response) {
  const auto body = parse_json(response.body, {.max_bytes = 64u << 20});
  if (!body || json_string(*body, "code").empty())
    return Error(
        codes::net_protocol,
        fmt::format("the server answered {} with something that is no FlowPilot answer", response.status));
  Error out(json_string(*body, "code"), json_string(*body, "detail"), false);
  if (const auto* issues = json_find(*body, "errors"); issues != nullptr && issues->is_array()) {
    for (const auto& issue : issues->get_array())
      out.issues.push_back(
          {json_string(issue, "pointer"), json_string(issue, "code"), json_string(issue, "message")});
  }
  return out;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0 || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      out += fmt::format("%{:02X}", u);
  }
  return out;
}

std::string to_query(const Query& query) {
  std::string out;
  for (const auto& [name, value] : query) {
    if (!value.empty()) out += fmt::format("{}{}={}", out.empty() ? '?' : '&', name, percent_encode(value));
  }
  return out;
}

ApiClient::ApiClient(net::Address address)
    : address_(std::move(address)), http_(std::make_unique<net::HttpClient>(address_, kTimeout)) {}

Result<ApiClient> ApiClient::make(const Settings& settings) {
  auto address = net::parse_address(settings.text("address"));
  if (!address) return address.error();
  return ApiClient(std::move(*address));
}

Result<net::Response> ApiClient::send(const std::string& method, const std::string& target,
                                      const std::string& body, const net::Fields& headers) {
  auto response = http_->send(method, target, body, headers);
  if (!response) return response.error();
  if (response->status >= 400) return to_error(*response);
  return response;
}

Result<Json> ApiClient::get(const std::string& target) {
  const auto response = send("GET", target, "");
  if (!response) return response.error();
  return parse_json(response->body, {.max_bytes = 64u << 20});
}

Result<Json> ApiClient::post(const std::string& target, const Json& body, const net::Fields& headers) {
  const auto response = send("POST", target, to_text(body), headers);
  if (!response) return response.error();
  auto json = parse_json(response->body, {.max_bytes = 64u << 20});
  return json ? std::move(json)
              : Result<Json>(Json(response->body));  // a respond step may answer with anything
}

Result<std::string> ApiClient::find_workflow(const std::string& id_or_name) {
  if (parse_uuid<WorkflowId>(id_or_name)) return id_or_name;
  std::vector<std::string> found;
  std::string cursor;
  do {
    const auto page =
        get("/api/workflows/" + to_query({{"search", id_or_name}, {"limit", "200"}, {"cursor", cursor}}));
    if (!page) return page.error();
    for (const auto& row : page->at("results").get_array()) {
      if (json_string(row, "name") == id_or_name) found.push_back(json_string(row, "id"));
    }
    cursor = json_string(*page, "next");
  } while (!cursor.empty());
  if (found.size() == 1) return found.front();
  if (found.empty())
    return Error(
        codes::not_found,
        fmt::format("there is no workflow \"{}\"; flowpilot workflow list shows what there is", id_or_name));
  return Error(codes::workflow_ambiguous, fmt::format("{} workflows have that name; use an id: {}",
                                                      found.size(), fmt::join(found, ", ")));
}

}  // namespace fp::app

#include "api/docs_files.hpp"
#include "api/server.hpp"
#include "base/error_code.hpp"

#include <fmt/format.h>

#include <map>

namespace fp::api {

namespace {

using Response = net::Response;

/// A document that never changes while the process lives.
Response shared_response(std::string_view text, const char* type) {
  static std::mutex mutex;
  static std::map<const char*, std::shared_ptr<const std::string>> kept;
  const std::lock_guard lock(mutex);
  auto& body = kept[text.data()];
  if (!body) body = std::make_shared<const std::string>(text);
  Response out;
  out.content_type = type;
  out.shared_body = body;
  return out;
}

Response docs_response(std::string_view text, const char* type) {
  auto out = shared_response(text, type);
  out.headers.emplace_back("Content-Security-Policy",
                           "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                           "base-uri 'none'; frame-ancestors 'none'");
  return out;
}

Json check(const char* name, bool ok, const std::string& text) {
  return JsonObject{{"name", name}, {"ok", ok}, {"text", text}};
}

}  // namespace

Result<Response> Server::get_readiness() const {
  std::optional<Error> failure;
  {
    const std::lock_guard lock(mutex_);
    failure = failure_;
  }
  JsonArray checks;
  checks.push_back(check("started", ready_, ready_ ? "recovered and serving" : "still recovering"));
  checks.push_back(check("accepting", !draining_, draining_ ? "the server is stopping" : "takes new work"));
  checks.push_back(check("storage", !failure, failure ? failure->message : "commits are durable"));
  const bool ready = ready_ && !draining_ && !failure;
  return json_response(ready ? 200 : 503, JsonObject{{"status", ready ? "ready" : "not_ready"},
                                                     {"version", FLOWPILOT_VERSION},
                                                     {"durability", options_.durability},
                                                     {"sqlite", options_.storage},
                                                     {"isolation", options_.isolation ? options_.isolation()
                                                                                      : Json(JsonObject())},
                                                     {"checks", std::move(checks)}});
}

void Server::install_system() {
  router_.add_blocking(Operation::get_health, [](Call&) -> Result<Response> {
    return json_response(200, JsonObject{{"status", "ok"}});
  });
  router_.add_blocking(Operation::get_readiness, [this](Call&) { return get_readiness(); });
  router_.add_blocking(Operation::get_metrics, [this](Call&) -> Result<Response> {
    Response out;
    out.content_type = "text/plain; version=0.0.4; charset=utf-8";
    out.body = metrics_.render();
    return out;
  });
  router_.add_blocking(Operation::get_limits, [this](Call&) -> Result<Response> {
    JsonObject out;
    for (const auto& row : options_.limits)
      out[row.name] = JsonObject{{"value", row.value}, {"unit", row.unit}, {"description", row.description}};
    return json_response(200, out);
  });
  router_.add_blocking(Operation::get_open_api, [](Call&) -> Result<Response> {
    return shared_response(openapi_text(), "application/json");
  });
  router_.add_blocking(Operation::get_docs, [](Call&) -> Result<Response> {
    return docs_response(kDocsPage, "text/html; charset=utf-8");
  });
  router_.add_blocking(Operation::get_docs_file, [](Call& call) -> Result<Response> {
    const bool script = call.text("file") == "docs.js";
    return docs_response(script ? kDocsScript : kDocsStyle,
                         script ? "text/javascript; charset=utf-8" : "text/css; charset=utf-8");
  });
}

}  // namespace fp::api

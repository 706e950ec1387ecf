#include "base/error.hpp"

#include "base/error_code.hpp"

namespace fp {

Error::Error(const ErrorCode& from, std::string text)
    : code(from.id), message(std::move(text)), retryable(from.retryable) {}

Error::Error(std::string id, std::string text, bool may_retry)
    : code(std::move(id)), message(std::move(text)), retryable(may_retry) {}

Json to_json(const Error& error) {
  JsonObject out{{"code", error.code}, {"message", error.message}, {"retryable", error.retryable}};
  if (error.retry_after) out["retry_after_ms"] = error.retry_after->count();
  if (!error.details.is_null()) out["details"] = error.details;
  if (!error.issues.empty()) {
    JsonArray issues;
    for (const auto& issue : error.issues) {
      issues.push_back(
          JsonObject{{"pointer", issue.pointer}, {"code", issue.code}, {"message", issue.message}});
    }
    out["errors"] = std::move(issues);
  }
  return out;
}

Error error_from_json(const Json& json) {
  Error error;
  error.code = json_string(json, "code");
  error.message = json_string(json, "message");
  if (const auto* value = json_find(json, "retryable"))
    error.retryable = value->is_bool() && value->get_bool();
  if (const auto* value = json_find(json, "retry_after_ms"); value && value->is_int64()) {
    error.retry_after = std::chrono::milliseconds(value->get_int64());
  }
  if (const auto* value = json_find(json, "details")) error.details = *value;
  if (const auto* value = json_find(json, "errors"); value && value->is_array()) {
    for (const auto& item : value->get_array()) {
      error.issues.push_back(
          {json_string(item, "pointer"), json_string(item, "code"), json_string(item, "message")});
    }
  }
  return error;
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw Unavailable(error);
}

}  // namespace fp

#include "base/error.hpp"

#include "base/error_code.hpp"

#include <algorithm>

namespace fp {

const ErrorCode* find_error_code(std::string_view id) {
  const auto* found = std::find_if(std::begin(kAllErrorCodes), std::end(kAllErrorCodes),
                                   [&](const ErrorCode* code) { return code->id == id; });
  return found == std::end(kAllErrorCodes) ? nullptr : *found;
}

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

Json to_problem(const Error& error) {
  constexpr std::size_t kMostIssues = 50;
  const auto* known = find_error_code(error.code);
  JsonObject out{{"type", "/problems/" + error.code},
                 {"title", known == nullptr ? "Step failed" : known->title},
                 {"status", known == nullptr ? 500 : known->status},
                 {"code", error.code},
                 {"detail", error.message},
                 {"retryable", error.retryable}};
  if (known != nullptr) out["remedy"] = known->remedy;
  if (error.retry_after) out["retry_after"] = (error.retry_after->count() + 999) / 1000;
  if (!error.details.is_null()) out["details"] = error.details;
  if (!error.issues.empty()) {
    JsonArray issues;
    for (std::size_t i = 0; i < std::min(error.issues.size(), kMostIssues); ++i) {
      const auto& issue = error.issues[i];
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

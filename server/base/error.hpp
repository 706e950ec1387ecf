#pragma once

#include "base/json.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp {

struct ErrorCode;  // generated: base/error_code.hpp

/// One thing wrong in a document: where (JSON pointer), which rule (code), and a plain sentence.
struct Issue {
  std::string pointer;
  std::string code;
  std::string message;
  bool operator==(const Issue&) const = default;
};

/// What happened, as callers, journals and problem documents see it. Codes of our own come from
/// `contract/errors.yaml` (namespace `codes`); steps and workers may bring codes of their own.
/// Never holds a secret, a stack or SQL.
struct Error {
  std::string code;
  std::string message;
  bool retryable = false;
  std::optional<std::chrono::milliseconds> retry_after;  // the peer's own wish (Retry-After)
  Json details;                                          // null, or what a reader needs besides the sentence
  std::vector<Issue> issues;                             // for documents: everything wrong at once

  Error() = default;
  Error(const ErrorCode& code, std::string message);
  Error(std::string code, std::string message, bool retryable);
  bool operator==(const Error&) const = default;
};

/// {code, message, retryable, retry_after_ms?, details?, errors?}
Json to_json(const Error& error);
/// As callers see it: an RFC 9457 problem {type, title, status, code, detail, retryable, remedy?,
/// retry_after? (seconds), details?, errors?} with at most 50 errors. Codes that are not ours have status
/// 500.
Json to_problem(const Error& error);
/// The inverse of to_json; a missing field takes its default.
Error error_from_json(const Json& json);

/// This unit of work can not go on: the database is gone, the disk failed. Caught at few named places only.
class Unavailable : public std::exception {
 public:
  explicit Unavailable(Error error) : error_(std::move(error)) {}
  const char* what() const noexcept override { return error_.message.c_str(); }
  const Error& error() const { return error_; }

 private:
  Error error_;
};

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

}  // namespace fp

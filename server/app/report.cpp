#include "app/exit_codes.hpp"
#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace fp::app {

ExitCode exit_code_for(const Error& error) {
  const auto* code = find_error_code(error.code);
  switch (code == nullptr ? 500 : code->status) {
    case 401:
    case 403:
      return error.code.starts_with("file.") ? kUsage : kAuth;
    case 404:
      return kNotFound;
    case 409:
      return kConflict;
    case 429:
    case 500:
    case 503:
    case 507:
      return kUnavailable;
    case 504:
      return kTimeout;
    default:
      return kUsage;
  }
}

ExitCode report(const Error& error) {
  fmt::print(stderr, "flowpilot: {}\n", error.message);
  for (const auto& issue : error.issues)
    fmt::print(stderr, "  {}: {} [{}]\n", issue.pointer.empty() ? "/" : issue.pointer, issue.message,
               issue.code);
  if (const auto* code = find_error_code(error.code))
    fmt::print(stderr, "  what to do: {} [{}]\n", code->remedy, code->id);
  return exit_code_for(error);
}

}  // namespace fp::app

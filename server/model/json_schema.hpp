#pragma once

#include "base/error.hpp"
#include "base/json.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::model {

struct SchemaOptions {
  /// Values for which this is true are taken to fit any schema: texts that hold expressions, before
  /// rendering.
  std::function<bool(const Json&)> is_open;
  std::size_t max_issues = 50;
};

/// Checks `value` against a JSON Schema (2020-12; the validation vocabulary without $dynamicRef,
/// unevaluated*, remote $ref; `pattern` is RE2, so linear). Each issue has the pointer of the offending value
/// below `pointer`.
void check_against_schema(const Json& value, const Json& schema, const std::string& pointer,
                          std::vector<Issue>& issues, const SchemaOptions& options = {});

/// Checks a schema that somebody wrote: unknown types, bad patterns, remote or dangling $ref, nesting
/// beyond 32.
void check_schema(const Json& schema, const std::string& pointer, std::vector<Issue>& issues);

}  // namespace fp::model

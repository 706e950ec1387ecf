#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "model/path.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::model {

/// The names an expression may start from.
inline constexpr std::string_view kScopeRoots[] = {"input",     "steps",    "item", "index",
                                                   "execution", "workflow", "vars", "secrets"};

/// One `{{ ... }}`: a constant, a plain path (both decided in C++), or JavaScript for the sandbox.
struct Expression {
  std::string source;            // without the braces
  std::optional<Json> constant;  // a JSON scalar such as 5, true or "x"
  std::optional<Path> path;
  std::size_t line = 1;            // where the source starts within its text, from 1
  std::size_t column = 1;          // in code points, from 1
  std::vector<std::string> roots;  // of kScopeRoots: what it may read
  std::vector<std::string> steps;  // ids after `steps.`
  bool reads_any_step = false;     // `steps` used otherwise, as in steps[input.name]
  bool is_javascript() const { return !constant && !path; }
  bool operator==(const Expression&) const = default;
};

/// The expression of `source`. Never fails: what is neither constant nor path is JavaScript, judged by the
/// sandbox.
Expression parse_expression(std::string_view source);

/// Where the `}}` that closes an expression starts, when its JavaScript begins at `from`: strings, template
/// literals, comments and inner braces are stepped over. npos when it is never closed.
std::size_t find_expression_end(std::string_view text, std::size_t from);

}  // namespace fp::model

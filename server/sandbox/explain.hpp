#pragma once

#include "ports/expression.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fp::sandbox {

/// What an expression could read, to explain why something was not there. Borrows.
struct ReadableScope {
  const std::vector<ports::ScopeEntry>& entries;
  const Json* item = nullptr;  // set when `item` and `index` are in scope
};

/// "`steps.crm.output.dta` is undefined: `output` has `status_code`, `headers`": the first step of `path`
/// that leads nowhere and what is there instead. Empty when `path` is more than names and indexes, or leads
/// somewhere.
std::string explain_path(std::string_view path, const ReadableScope& scope);

/// The engine's sentence about reading through undefined ("can't access property "x", a.b is undefined"),
/// explained by the scope where its path allows, as it is otherwise.
std::string explain_message(std::string_view message, const ReadableScope& scope);

}  // namespace fp::sandbox

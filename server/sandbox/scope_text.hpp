#pragma once

#include "ports/expression.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fp::sandbox {

/// A scope as one JSON object: entries "steps.a.output" and "steps.b.output" make
/// {"steps":{"a":{"output":...},...}}.
struct ScopeText {
  std::vector<std::string> roots;
  std::string json;
};
ScopeText make_scope_text(const std::vector<ports::ScopeEntry>& scope);

/// The part of a dotted path before its first dot; takes it, and the dot, off `path`.
std::string_view take_segment(std::string_view& path);

}  // namespace fp::sandbox

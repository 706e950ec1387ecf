#pragma once

#include "base/json.hpp"

#include <string>

namespace fp::model {

/// One name an expression may read. `path` is a dotted path of plain names ("input", "steps.crm.output",
/// "execution"); entries never overlap, and an intermediate object (`steps`, `steps.crm`) holds only what is
/// listed.
struct ScopeEntry {
  std::string path;
  Value value;
};

}  // namespace fp::model

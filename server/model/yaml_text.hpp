#pragma once

#include "base/json.hpp"

#include <string>

namespace fp::model {

/// A document as YAML 1.2 that parse_document() reads back to the same value: blocks for lists and objects,
/// texts of several lines as literal blocks, everything that could be read as something else quoted.
std::string to_yaml_text(const Json& document);

}  // namespace fp::model

#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <string_view>

namespace fp::sandbox {

/// JSON that JavaScript wrote: numbers keep every bit, whole numbers beyond 64 bits are doubles. Errors:
/// expr.result when nested too deeply; expr.crashed when it is no JSON, which no working sandbox sends.
Result<Json> parse_result(std::string_view text);

}  // namespace fp::sandbox

#pragma once

#include "ports/store.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace fp::api {

/// The filter that query parameters or the members of a bulk filter make; `text` gives each by name, "" when
/// missing.
Result<ports::ExecutionFilter> read_filter(const std::function<std::string(std::string_view)>& text);

}  // namespace fp::api

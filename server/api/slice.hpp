#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <string>

namespace fp::api {

/// Part of a value: {path, type, total, offset, value}. `path` is a JSON pointer (RFC 6901); offset and limit
/// count elements of a list, members of an object, code points of a text. Error not_found when the pointer
/// leads nowhere.
Result<Json> slice_value(const Json& value, const std::string& path, std::size_t offset, std::size_t limit);

}  // namespace fp::api

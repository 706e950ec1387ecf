#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace fp::api {

/// Cursors are opaque to callers: `kind` keeps those of one list out of another, and a checksum catches
/// forged and cut ones. They say where to go on, never what to show, so nothing is lost when rows come or go
/// between two pages.
std::string encode_cursor(std::string_view kind, std::string_view position);
/// Error: query.invalid.
Result<std::string> decode_cursor(std::string_view kind, std::string_view cursor);

}  // namespace fp::api

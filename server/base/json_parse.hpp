#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <string_view>

namespace fp {

struct JsonLimits {
  std::size_t max_bytes = 1 << 20;
  std::size_t max_depth = 64;
};

/// Text that people or peers sent, as JSON (RFC 8259), strictly: duplicate keys (`json.duplicate_key`),
/// numbers that would be rounded (`json.number_range`), depth and size beyond the limits are refused; a
/// syntax error
/// (`json.syntax`) names line and column. Text we wrote ourselves is read with parse_trusted_json.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

/// Text that this program wrote and a checksum or the database vouches for. Throws Unavailable when it is not
/// JSON.
Json parse_trusted_json(std::string_view text);

}  // namespace fp

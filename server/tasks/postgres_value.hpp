#pragma once

#include "base/json.hpp"

#include <cstdint>
#include <string_view>

namespace fp::tasks {

/// A value in PostgreSQL's text form as JSON: integers exact, numeric as a number when a double keeps every
/// digit and as text otherwise, bytea as base64, json parsed, times in RFC 3339 (the session's zone is UTC),
/// the rest as text.
Json read_postgres_value(std::uint32_t type_oid, std::string_view text);

}  // namespace fp::tasks

#include "api/cursor.hpp"

#include "base/error_code.hpp"
#include "base/hash.hpp"

#include <fmt/format.h>

namespace fp::api {

namespace {
std::string seal(std::string_view kind, std::string_view position) {
  return to_hex(hash_128(fmt::format("cursor {} {}", kind, position))).substr(0, 8);
}
}  // namespace

std::string encode_cursor(std::string_view kind, std::string_view position) {
  return fmt::format("{}.{}", position, seal(kind, position));
}

Result<std::string> decode_cursor(std::string_view kind, std::string_view cursor) {
  const auto dot = cursor.rfind('.');
  if (dot != std::string_view::npos && seal(kind, cursor.substr(0, dot)) == cursor.substr(dot + 1))
    return std::string(cursor.substr(0, dot));
  Error error(codes::query_invalid, "the cursor is not one that this list gave");
  error.issues.push_back({"cursor", codes::query_invalid.id, error.message});
  return error;
}

}  // namespace fp::api

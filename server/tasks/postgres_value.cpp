#include "tasks/postgres_value.hpp"

#include "base/json_parse.hpp"
#include "tasks/text_codec.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

namespace fp::tasks {

namespace {

// pg_type.dat: these numbers never change.
enum Oid : std::uint32_t {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kOid = 26,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kTimestamp = 1114,
  kTimestampTz = 1184,
  kNumeric = 1700,
  kJsonb = 3802
};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number out{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc() && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

Json read_float(std::string_view text) {
  const auto number = parse_number<double>(text);
  return number && std::isfinite(*number) ? Json(*number)
                                          : Json(text);  // NaN and Infinity have no JSON number
}

/// 15 significant digits survive the way into a double and back (DBL_DIG).
Json read_numeric(std::string_view text) {
  if (const auto whole = parse_number<std::int64_t>(text)) return Json(*whole);
  const auto digits = std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits <= 15 ? read_float(text) : Json(text);
}

Json read_bytes(std::string_view text) {
  std::string bytes;
  if (!text.starts_with("\\x")) return Json(text);
  for (std::size_t i = 2; i + 1 < text.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return Json(to_base64(bytes));
}

/// "2026-01-31 08:15:00.5+00" -> "2026-01-31T08:15:00.5Z"; "infinity" and years BC stay as they are.
Json read_time(std::string_view text) {
  std::string out(text);
  if (out.size() > 10 && out[10] == ' ' && out.back() != 'C') out[10] = 'T';
  if (out.ends_with("+00")) out.replace(out.size() - 3, 3, "Z");
  return Json(out);
}

}  // namespace

Json read_postgres_value(std::uint32_t type_oid, std::string_view text) {
  switch (type_oid) {
    case kBool:
      return Json(text == "t");
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid: {
      const auto number = parse_number<std::int64_t>(text);
      return number ? Json(*number) : Json(text);
    }
    case kFloat4:
    case kFloat8:
      return read_float(text);
    case kNumeric:
      return read_numeric(text);
    case kBytea:
      return read_bytes(text);
    case kJson:
    case kJsonb: {
      auto parsed = parse_json(text, {.max_bytes = 16u << 20, .max_depth = 128});
      return parsed ? std::move(*parsed) : Json(text);
    }
    case kTimestamp:
    case kTimestampTz:
      return read_time(text);
    default:
      return is_utf8(text) ? Json(text) : Json(to_base64(text));
  }
}

}  // namespace fp::tasks

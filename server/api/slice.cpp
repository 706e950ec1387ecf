#include "api/slice.hpp"

#include "base/error_code.hpp"
#include "base/text.hpp"

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

namespace {

bool starts_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

/// Where the n-th code point of `text` starts; its end when there are fewer.
std::size_t position_of(std::string_view text, std::size_t n) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (starts_code_point(text[at]) && n-- == 0) break;
  }
  return at;
}

Json cut(const Json& value, std::size_t offset, std::size_t limit, std::size_t& total) {
  if (value.is_array()) {
    const auto& list = value.get_array();
    total = list.size();
    const auto from = std::min(offset, total);
    return JsonArray(list.begin() + from, list.begin() + from + std::min(limit, total - from));
  }
  if (value.is_object()) {
    const auto& members = value.get_object();
    total = members.size();
    JsonObject out;
    std::size_t position = 0;
    for (const auto& member : members) {
      if (position >= offset && position - offset < limit) out.emplace(member.key(), member.value());
      ++position;
    }
    return out;
  }
  if (!value.is_string()) return value;
  const std::string_view text = value.get_string();
  total = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_code_point));
  const auto from = position_of(text, offset);
  return Json(text.substr(from, position_of(text.substr(from), limit)));
}

}  // namespace

Result<Json> slice_value(const Json& value, const std::string& path, std::size_t offset, std::size_t limit) {
  boost::system::error_code ec;
  const auto* found = value.find_pointer(path, ec);
  if (found == nullptr)
    return Error(codes::not_found, fmt::format("the result has nothing at {}", echo(path)));
  static constexpr std::string_view kNames[] = {"null",   "boolean", "number", "number",
                                                "number", "string",  "array",  "object"};
  std::size_t total = 1;
  auto part = cut(*found, offset, limit, total);
  return Json(JsonObject{{"path", path},
                         {"type", kNames[static_cast<std::size_t>(found->kind())]},
                         {"total", total},
                         {"offset", offset},
                         {"value", std::move(part)}});
}

}  // namespace fp::api

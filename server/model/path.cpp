#include "model/path.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fp::model {

namespace {

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
bool is_name_char(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

std::string_view take_name(std::string_view& rest) {
  std::size_t size = 0;
  if (!rest.empty() && is_name_start(rest[0])) {
    while (size < rest.size() && is_name_char(rest[size])) ++size;
  }
  const auto name = rest.substr(0, size);
  rest.remove_prefix(size);
  return name;
}

/// The text between brackets, which were already taken: 0, "key" or 'key' (no escapes: those go to
/// JavaScript).
std::optional<Path::Segment> parse_subscript(std::string_view inside) {
  inside = trim(inside);
  if (inside.size() >= 2 && (inside[0] == '"' || inside[0] == '\'') && inside.back() == inside[0]) {
    const auto key = inside.substr(1, inside.size() - 2);
    if (key.find_first_of("\\\"'\n") != std::string_view::npos) return std::nullopt;
    return std::string(key);
  }
  std::uint32_t position = 0;
  const auto [end, error] = std::from_chars(inside.data(), inside.data() + inside.size(), position);
  if (error != std::errc() || end != inside.data() + inside.size()) return std::nullopt;
  if (inside.size() > 1 && inside[0] == '0') return std::nullopt;
  return position;
}

}  // namespace

std::optional<Path> parse_path(std::string_view source) {
  auto rest = trim(source);
  const auto root = take_name(rest);
  if (root.empty()) return std::nullopt;
  Path path;
  path.segments.emplace_back(std::string(root));
  while (!rest.empty()) {
    if (rest[0] == '.') {
      rest.remove_prefix(1);
      const auto name = take_name(rest);
      if (name.empty()) return std::nullopt;
      path.segments.emplace_back(std::string(name));
    } else if (rest[0] == '[') {
      const auto end = rest.find(']');
      if (end == std::string_view::npos) return std::nullopt;
      auto segment = parse_subscript(rest.substr(1, end - 1));
      if (!segment) return std::nullopt;
      path.segments.push_back(std::move(*segment));
      rest.remove_prefix(end + 1);
    } else {
      return std::nullopt;
    }
  }
  return path;
}

std::string to_string(const Path& path, std::size_t segments) {
  std::string out;
  for (std::size_t i = 0; i < path.segments.size() && i < segments; ++i) {
    if (const auto* position = std::get_if<std::uint32_t>(&path.segments[i])) {
      out += fmt::format("[{}]", *position);
      continue;
    }
    const auto& name = std::get<std::string>(path.segments[i]);
    std::string_view rest = name;
    const bool is_plain = !take_name(rest).empty() && rest.empty();
    out += i == 0 ? name : is_plain ? "." + name : fmt::format("[\"{}\"]", name);
  }
  return out;
}

Error undefined_error(const Path& path, std::size_t missing, const Json& holder) {
  constexpr std::size_t kShown = 12;
  const auto whole = to_string(path, missing + 1);
  const auto before = path.segments[missing - 1];
  const auto name =
      std::holds_alternative<std::string>(before) ? std::get<std::string>(before) : to_string(path, missing);
  std::string reason;
  if (const auto* object = holder.if_object()) {
    std::size_t shown = 0;
    for (const auto& member : *object) {
      if (shown == kShown) break;
      reason += fmt::format("{}`{}`", shown++ == 0 ? "" : ", ", std::string_view(member.key()));
    }
    reason = object->empty() ? fmt::format("`{}` is an empty object", name)
                             : fmt::format("`{}` has {}", name, reason);
    if (object->size() > kShown) reason += fmt::format(" and {} more", object->size() - kShown);
  } else if (const auto* array = holder.if_array()) {
    reason = fmt::format("`{}` is a list of {}", name, array->size());
  } else {
    reason = fmt::format("`{}` is {}", name, json_type_name(holder));
  }
  return Error(codes::expr_undefined, fmt::format("`{}` is undefined: {}", whole, reason));
}

namespace {

/// Code units as JavaScript counts them (UTF-16), so that both evaluators agree.
std::size_t utf16_length(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

const Json* member_of(const Json& holder, const Path::Segment& segment, Json& scratch) {
  if (const auto* position = std::get_if<std::uint32_t>(&segment)) {
    if (const auto* array = holder.if_array())
      return *position < array->size() ? &(*array)[*position] : nullptr;
    if (const auto* object = holder.if_object()) return object->if_contains(std::to_string(*position));
    return nullptr;
  }
  const auto& name = std::get<std::string>(segment);
  if (const auto* object = holder.if_object()) return object->if_contains(name);
  if (name != "length") return nullptr;
  if (const auto* array = holder.if_array())
    scratch = array->size();
  else if (const auto* text = holder.if_string())
    scratch = utf16_length({text->data(), text->size()});
  else
    return nullptr;
  return &scratch;
}

}  // namespace

Result<const Json*> walk(const Json& start, const Path& path, std::size_t from, Json& scratch) {
  const Json* at = &start;
  for (std::size_t i = from; i < path.segments.size(); ++i) {
    const Json* next = member_of(*at, path.segments[i], scratch);
    if (next == nullptr) return undefined_error(path, i, *at);
    at = next;
  }
  return at;
}

}  // namespace fp::model

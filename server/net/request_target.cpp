#include "net/request_target.hpp"

#include "base/error_code.hpp"
#include "net/text.hpp"

#include <optional>

namespace fp::net {

namespace {

Error malformed(const char* why) {
  return Error(codes::request_malformed, why);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = to_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Nothing for a broken escape or an encoded character of `forbidden`.
std::optional<std::string> decode(std::string_view text, std::string_view forbidden, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' && plus_is_blank ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    const char c = static_cast<char>(high << 4 | low);
    if (forbidden.find(c) != std::string_view::npos) return std::nullopt;
    out += c;
    i += 2;
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

bool has_parent_segment(std::string_view path) {
  bool found = false;
  for_each_part(path, '/', [&](std::string_view segment) { found = found || segment == ".."; });
  return found;
}

bool decode_query(std::string_view text, Fields& query) {
  constexpr std::string_view kForbidden("\0", 1);
  bool is_good = true;
  for_each_part(text, '&', [&](std::string_view pair) {
    if (pair.empty()) return;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = decode(pair.substr(0, equals), kForbidden, true);
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())), kForbidden, true);
    is_good = is_good && name && value;
    if (is_good) query.emplace_back(std::move(*name), std::move(*value));
  });
  return is_good;
}

/// Cuts "http://authority" off the front; false when what is left is no path.
bool cut_authority(std::string_view& target, std::string& authority) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    authority = target.substr(0, target.find_first_of("/?"));
    target.remove_prefix(authority.size());
    if (authority.empty()) return false;
    if (target.empty()) target = "/";
  }
  return target.starts_with('/');
}

}  // namespace

Result<RequestTarget> parse_request_target(std::string_view target) {
  RequestTarget parsed;
  if (!cut_authority(target, parsed.authority))
    return malformed("The request target must start with a slash.");
  if (target.find('#') != std::string_view::npos) return malformed("A request target has no fragment (#).");
  const auto mark = std::min(target.find('?'), target.size());
  auto path = decode(target.substr(0, mark), std::string_view("/\\\0", 3), false);
  if (!path) {
    return malformed("The path has a broken escape, an encoded slash or NUL, or bytes that are not UTF-8.");
  }
  if (has_parent_segment(*path)) return malformed("The path has a segment \"..\".");
  parsed.path = std::move(*path);
  if (!decode_query(target.substr(std::min(mark + 1, target.size())), parsed.query)) {
    return malformed("The query has a broken escape, a NUL, or bytes that are not UTF-8.");
  }
  return parsed;
}

}  // namespace fp::net

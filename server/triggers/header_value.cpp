#include "triggers/header_value.hpp"

#include <algorithm>

namespace fp::triggers {

namespace {

constexpr std::string_view kSpecial = "()<>@,;:\\\"/[]?={}";

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c != '\x7f' && kSpecial.find(c) == std::string_view::npos;
  });
}

/// Takes a quoted text off the front. A backslash before a quote or another one is an escape; browsers of
/// old send paths with plain ones.
bool take_quoted(std::string_view& rest, std::string& out) {
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != '"') {
    const bool is_escape = rest.front() == '\\' && rest.size() > 1 && (rest[1] == '"' || rest[1] == '\\');
    if (is_escape) rest.remove_prefix(1);
    out += rest.front();
    rest.remove_prefix(1);
  }
  if (rest.empty()) return false;
  rest.remove_prefix(1);
  rest = trim_blanks(rest);
  return rest.empty() || rest.front() == ';';
}

bool take_plain(std::string_view& rest, std::string& out) {
  const auto to = std::min(rest.find(';'), rest.size());
  const auto value = trim_blanks(rest.substr(0, to));
  rest.remove_prefix(to);
  out = value;
  return is_token(value);
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string_view trim_blanks(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::string_view HeaderValue::find(std::string_view name) const {
  const auto found = std::ranges::find(params, name, [](const auto& param) { return param.first; });
  return found == params.end() ? std::string_view() : std::string_view(found->second);
}

bool HeaderValue::has(std::string_view name) const {
  return std::ranges::any_of(params, [&](const auto& param) { return param.first == name; });
}

HeaderValue parse_header_value(std::string_view text) {
  HeaderValue out;
  out.value = to_lower(trim_blanks(text.substr(0, text.find(';'))));
  text.remove_prefix(std::min(text.find(';'), text.size()));
  while (!text.empty()) {
    text.remove_prefix(1);  // the semicolon
    text = trim_blanks(text);
    if (text.empty() || text.front() == ';') continue;
    const auto end = text.find_first_of("=;");
    auto name = to_lower(trim_blanks(text.substr(0, end)));
    text.remove_prefix(std::min(end, text.size()));
    std::string value;
    bool is_right = is_token(name) && text.starts_with('=') && !out.has(name);
    if (text.starts_with('=')) {
      text.remove_prefix(1);
      text = trim_blanks(text);
      const bool is_read = text.starts_with('"') ? take_quoted(text, value) : take_plain(text, value);
      is_right = is_right && is_read;
    }
    if (is_right) out.params.emplace_back(std::move(name), std::move(value));
    out.is_whole = out.is_whole && is_right;
    text.remove_prefix(std::min(text.find(';'), text.size()));
  }
  return out;
}

}  // namespace fp::triggers

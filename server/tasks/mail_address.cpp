#include "base/error_code.hpp"
#include "tasks/mail_message.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::tasks {

namespace {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 32 || c == 127; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool is_atom(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
}

/// dot-atom@domain of RFC 5321; quoted local parts and address literals are left to nobody.
bool is_address(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || text.size() > 254) return false;
  const auto local = text.substr(0, at);
  const auto domain = text.substr(at + 1);
  const auto dots = [](std::string_view part) {
    return part.front() != '.' && part.back() != '.' && part.find("..") == std::string_view::npos;
  };
  if (domain.empty() || !dots(local) || !dots(domain)) return false;
  const auto is_domain_char = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.';
  };
  return std::all_of(local.begin(), local.end(), is_atom) &&
         std::all_of(domain.begin(), domain.end(), is_domain_char);
}

}  // namespace

Result<MailAddress> parse_mail_address(std::string_view text) {
  if (has_control(text))
    return Error(codes::smtp_header, "an address holds a line break or another control character");
  text = trim(text);
  MailAddress out;
  const auto open = text.rfind('<');
  if (open != std::string_view::npos && text.back() == '>') {
    out.address = text.substr(open + 1, text.size() - open - 2);
    auto name = trim(text.substr(0, open));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (name[i] == '\\' && i + 1 < name.size()) ++i;
      out.name += name[i];
    }
  } else {
    out.address = text;
  }
  if (!is_address(out.address) || !is_utf8(out.name))
    return Error(codes::smtp_address, fmt::format("\"{}\" is not an e-mail address", cut_utf8(text, 100)));
  return out;
}

std::vector<std::string> split_addresses(std::string_view text) {
  std::vector<std::string> out;
  std::string part;
  bool quoted = false;
  const auto flush = [&] {
    if (!trim(part).empty()) out.emplace_back(trim(part));
    part.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted && text[i] == '\\' && i + 1 < text.size()) part += text[i++];
    if (text[i] == ',' && !quoted)
      flush();
    else
      part += text[i];
  }
  flush();
  return out;
}

}  // namespace fp::tasks

#include "net/host_names.hpp"

#include "net/text.hpp"

#include <algorithm>

namespace fp::net {

namespace {

std::string_view without_port(std::string_view host) {
  const auto bracket = host.starts_with('[') ? host.find(']') : 0;
  if (bracket == std::string_view::npos) return host;
  return host.substr(0, host.find(':', bracket));
}

}  // namespace

HostNames::HostNames(const std::string& host, const std::vector<std::string>& others)
    : names_{"localhost", "127.0.0.1", "[::1]"} {
  const auto add = [this](const std::string& name) {
    const bool is_bare_v6 = std::ranges::count(name, ':') > 1 && !name.starts_with('[');
    names_.push_back(is_bare_v6 ? "[" + name + "]" : std::string(without_port(name)));
  };
  add(host);
  for (const auto& name : others) add(name);
}

bool HostNames::contains(std::string_view host) const {
  const auto name = without_port(host);
  return std::ranges::any_of(names_, [&](const auto& known) { return equals_ignoring_case(known, name); });
}

bool HostNames::is_well_formed(std::string_view host) {
  const auto name = without_port(host);
  const auto port = host.substr(name.size());
  const bool is_v6 = name.starts_with('[');
  if (name.empty() || (is_v6 && !name.ends_with(']'))) return false;
  const auto is_name_character = [is_v6](char c) {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           (is_v6 && (c == '[' || c == ']' || c == ':' || c == '%'));
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return std::ranges::all_of(name, is_name_character) &&
         (port.empty() || (port.size() <= 6 && std::ranges::all_of(port.substr(1), is_digit)));
}

}  // namespace fp::net

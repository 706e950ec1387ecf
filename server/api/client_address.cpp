#include "api/client_address.hpp"

#include "triggers/header_value.hpp"

#include <algorithm>

namespace fp::api {

namespace {

bool is_among(const std::vector<IpNetwork>& networks, const IpAddress& address) {
  return std::ranges::any_of(networks, [&](const auto& network) { return network.contains(address); });
}

/// "192.0.2.1", "[2001:db8::1]" and both with a port.
std::optional<IpAddress> parse_forwarded(std::string_view text) {
  if (const auto address = parse_ip(text)) return address;
  const auto colon = text.rfind(':');
  return colon == std::string_view::npos ? std::nullopt : parse_ip(text.substr(0, colon));
}

}  // namespace

std::optional<IpAddress> find_client_address(const net::Request& request,
                                             const std::vector<IpNetwork>& proxies) {
  auto address = parse_ip(request.peer);
  if (!address || !is_among(proxies, *address)) return address;
  // Several headers are one list; only what our own proxies appended is worth anything, and that is its end.
  for (auto field = request.headers.rbegin(); field != request.headers.rend(); ++field) {
    if (triggers::to_lower(field->first) != "x-forwarded-for") continue;
    std::string_view rest = field->second;
    while (true) {
      const auto comma = rest.rfind(',');
      const auto text =
          triggers::trim_blanks(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
      address = parse_forwarded(text);
      if (!address || !is_among(proxies, *address)) return address;
      if (comma == std::string_view::npos) break;
      rest = rest.substr(0, comma);
    }
  }
  return address;
}

}  // namespace fp::api

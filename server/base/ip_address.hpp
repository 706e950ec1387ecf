#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace fp {

/// An IPv4 or IPv6 address; IPv4 is kept in its v4-mapped form (RFC 4291 section 2.5.5.2), so that both
/// compare alike.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v4() const;
  bool operator==(const IpAddress&) const = default;
};

/// The usual text forms only (RFC 5952, dotted quad), with or without the brackets of a URL; no octal, hex or
/// short ones.
std::optional<IpAddress> parse_ip(std::string_view text);
/// The address of an AF_INET or AF_INET6 socket address; nothing for other families.
std::optional<IpAddress> ip_from_sockaddr(const sockaddr& address);
std::string to_string(const IpAddress& address);

/// A block of addresses, as CIDR writes it; one address is a block of 128 bits.
struct IpNetwork {
  IpAddress base;
  unsigned bits = 128;  // of the 16-byte form
  bool contains(const IpAddress& address) const;
  bool operator==(const IpNetwork&) const = default;
};
/// "10.0.0.0/8", "fd00::/8", or an address alone.
std::optional<IpNetwork> parse_network(std::string_view text);

}  // namespace fp

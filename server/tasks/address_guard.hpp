#pragma once

#include "base/ip_address.hpp"
#include "base/result.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::tasks {

/// Why an address is no part of the public internet: "loopback", "private", "link-local", ...; nothing for
/// public ones. Addresses that carry another one inside (v4-mapped, NAT64, 6to4, Teredo) count as what they
/// carry. Pure.
std::optional<std::string_view> special_address(const IpAddress& address);

/// Ports that this process itself listens on: no step reaches them on this machine, whatever is allowed,
/// because requests from here have the rights of whoever sits at it. Thread-safe.
class OwnPorts {
 public:
  void add(std::uint16_t port) { port_.store(port, std::memory_order_relaxed); }
  bool has(std::uint16_t port) const { return port != 0 && port_.load(std::memory_order_relaxed) == port; }

 private:
  std::atomic<std::uint16_t> port_{0};
};

/// Decides which peers workflows may connect to: public addresses, what was allowed by name, and nothing
/// else. It is asked with the address that is about to be connected, after resolution, so that no spelling
/// and no DNS answer gets around it. Immutable, so any thread may ask.
class AddressGuard {
 public:
  AddressGuard() = default;
  /// `allowed` as --allow-address takes it: HOST, ADDRESS or CIDR, each with an optional :PORT (brackets
  /// around IPv6 then). Entries that are none of these are left out; parse_allowed tells them apart.
  AddressGuard(bool allow_loopback, const std::vector<std::string>& allowed,
               std::shared_ptr<const OwnPorts> own_ports = nullptr);

  /// Why a connection to `address` must not be made, or nothing. `host` is the name as the URL writes it.
  std::optional<std::string> refuse(std::string_view host, const IpAddress& address,
                                    std::uint16_t port) const;

 private:
  struct Entry {
    std::string host;  // lower case, without the root's dot; "" when `network` decides
    std::optional<IpNetwork> network;
    std::optional<std::uint16_t> port;
    bool operator==(const Entry&) const = default;
  };
  static std::optional<Entry> parse_allowed(std::string_view text);

  bool allow_loopback_ = false;
  std::vector<Entry> allowed_;
  std::shared_ptr<const OwnPorts> own_ports_;
};

}  // namespace fp::tasks

#include "tasks/address_guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace fp::tasks {

namespace {

struct SpecialBlock {
  const char* network;
  const char* name;
};

// IANA's special-purpose registries (RFC 6890 and its updates), and the addresses at which clouds hand out
// credentials.
constexpr SpecialBlock kSpecialV4[] = {
    {"0.0.0.0/8", "this network"},
    {"10.0.0.0/8", "private"},
    {"100.64.0.0/10", "carrier-grade NAT"},
    {"127.0.0.0/8", "loopback"},
    {"168.63.129.16/32", "cloud metadata"},
    {"169.254.0.0/16", "link-local"},
    {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "protocol assignments"},
    {"192.0.2.0/24", "documentation"},
    {"192.31.196.0/24", "AS112"},
    {"192.52.193.0/24", "AMT"},
    {"192.88.99.0/24", "6to4 relay"},
    {"192.168.0.0/16", "private"},
    {"192.175.48.0/24", "AS112"},
    {"198.18.0.0/15", "benchmarking"},
    {"198.51.100.0/24", "documentation"},
    {"203.0.113.0/24", "documentation"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},
};
// Only 2000::/3 is in use as global unicast; the rest is refused as a whole, with a name where there is one.
constexpr SpecialBlock kSpecialV6[] = {
    {"::/128", "unspecified"},
    {"::1/128", "loopback"},
    {"fe80::/10", "link-local"},
    {"fec0::/10", "site-local"},
    {"fc00::/7", "unique local"},
    {"ff00::/8", "multicast"},
    {"100::/64", "discard"},
    {"2001:2::/48", "benchmarking"},
    {"2001:10::/28", "ORCHID"},
    {"2001:20::/28", "ORCHID"},
    {"2001:db8::/32", "documentation"},
    {"3fff::/20", "documentation"},
};

struct ParsedBlock {
  IpNetwork network;
  std::string_view name;
};

template <std::size_t N>
std::vector<ParsedBlock> parse_blocks(const SpecialBlock (&blocks)[N]) {
  std::vector<ParsedBlock> out;
  for (const auto& block : blocks) out.push_back({*parse_network(block.network), block.name});
  return out;
}

std::optional<std::string_view> find_block(const std::vector<ParsedBlock>& blocks, const IpAddress& address) {
  const auto found = std::find_if(blocks.begin(), blocks.end(),
                                  [&](const ParsedBlock& block) { return block.network.contains(address); });
  return found == blocks.end() ? std::nullopt : std::optional(found->name);
}

IpAddress make_v4(const std::uint8_t* bytes, std::uint8_t mask) {
  IpAddress out = *parse_ip("0.0.0.0");
  for (std::size_t i = 0; i < 4; ++i) out.bytes[12 + i] = static_cast<std::uint8_t>(bytes[i] ^ mask);
  return out;
}

/// The IPv4 addresses inside an IPv6 one: where a translator or tunnel would send the packets.
std::vector<IpAddress> carried_addresses(const IpAddress& address) {
  static const IpNetwork compatible = *parse_network("::/96");
  static const IpNetwork nat64 = *parse_network("64:ff9b::/96");
  static const IpNetwork translated = *parse_network("::ffff:0:0:0/96");
  static const IpNetwork six_to_four = *parse_network("2002::/16");
  static const IpNetwork teredo = *parse_network("2001::/32");
  const auto* bytes = address.bytes.data();
  if (nat64.contains(address) || translated.contains(address) || compatible.contains(address))
    return {make_v4(bytes + 12, 0)};
  if (six_to_four.contains(address)) return {make_v4(bytes + 2, 0)};
  if (teredo.contains(address))
    return {make_v4(bytes + 4, 0), make_v4(bytes + 12, 0xff)};  // RFC 4380: server, client inverted
  return {};
}

std::string plain_host(std::string_view host) {
  std::string out(host);
  if (out.size() > 2 && out.front() == '[' && out.back() == ']') out = out.substr(1, out.size() - 2);
  if (out.size() > 1 && out.back() == '.') out.pop_back();
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return out;
}

}  // namespace

std::optional<std::string_view> special_address(const IpAddress& address) {
  static const auto v4 = parse_blocks(kSpecialV4);
  static const auto v6 = parse_blocks(kSpecialV6);
  static const IpNetwork global_unicast = *parse_network("2000::/3");
  if (address.is_v4()) return find_block(v4, address);
  if (const auto name = find_block(v6, address)) return name;
  const auto carried = carried_addresses(address);
  for (const auto& inner : carried) {
    if (const auto name = find_block(v4, inner)) return name;
  }
  if (!carried.empty() || global_unicast.contains(address)) return std::nullopt;
  return "reserved";
}

AddressGuard::AddressGuard(bool allow_loopback, const std::vector<std::string>& allowed,
                           std::shared_ptr<const OwnPorts> own_ports)
    : allow_loopback_(allow_loopback), own_ports_(std::move(own_ports)) {
  for (const auto& text : allowed) {
    if (auto entry = parse_allowed(text)) allowed_.push_back(std::move(*entry));
  }
}

std::optional<AddressGuard::Entry> AddressGuard::parse_allowed(std::string_view text) {
  if (const auto network = parse_network(text)) return Entry{"", network, std::nullopt};
  Entry out;
  const auto colon = text.rfind(':');
  auto host = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    const auto digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (ec != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
    out.port = port;
  }
  if (host.empty()) return std::nullopt;
  // "[fd00::1]:80" and "[fd00::]/8:80" name networks; brackets never belong to a host name.
  std::string bare(host);
  std::erase_if(bare, [](char c) { return c == '[' || c == ']'; });
  out.network = parse_network(bare);
  if (!out.network) out.host = plain_host(host);
  return out;
}

std::optional<std::string> AddressGuard::refuse(std::string_view host, const IpAddress& address,
                                                std::uint16_t port) const {
  const auto special = special_address(address);
  if (!special) return std::nullopt;
  static const auto v4_loopback = *parse_network("127.0.0.0/8");
  static const auto v6_loopback = *parse_network("::1");
  const bool is_here = v4_loopback.contains(address) || v6_loopback.contains(address) ||
                       address == *parse_ip("0.0.0.0") || address == *parse_ip("::");
  if (is_here && own_ports_ && own_ports_->has(port))
    return fmt::format("{} leads to {}, port {} of this server itself", host, to_string(address), port);
  if (allow_loopback_ && (v4_loopback.contains(address) || v6_loopback.contains(address)))
    return std::nullopt;
  const auto name = plain_host(host);
  const bool allowed = std::any_of(allowed_.begin(), allowed_.end(), [&](const Entry& entry) {
    if (entry.port && *entry.port != port) return false;
    return entry.network ? entry.network->contains(address) : entry.host == name;
  });
  if (allowed) return std::nullopt;
  return fmt::format("{} leads to {}, a {} address", host, to_string(address), *special);
}

}  // namespace fp::tasks

#include "tasks/address_guard.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

namespace fp::tasks {
namespace {

std::string kind_of(const char* text) {
  const auto address = parse_ip(text);
  if (!address) return "no address";
  const auto kind = special_address(*address);
  return kind ? std::string(*kind) : "public";
}

TEST(SpecialAddress, KnowsEveryBlockThatIsNotThePublicInternet) {
  const std::pair<const char*, const char*> rows[] = {
      {"0.0.0.0", "this network"},
      {"0.1.2.3", "this network"},
      {"10.0.0.1", "private"},
      {"10.255.255.255", "private"},
      {"11.0.0.0", "public"},
      {"9.255.255.255", "public"},
      {"100.64.0.1", "carrier-grade NAT"},
      {"100.127.255.255", "carrier-grade NAT"},
      {"100.128.0.0", "public"},
      {"100.100.100.200", "carrier-grade NAT"},
      {"127.0.0.1", "loopback"},
      {"127.255.255.254", "loopback"},
      {"128.0.0.1", "public"},
      {"169.254.169.254", "link-local"},
      {"172.15.255.255", "public"},
      {"172.16.0.1", "private"},
      {"172.31.255.255", "private"},
      {"172.32.0.0", "public"},
      {"168.63.129.16", "cloud metadata"},
      {"192.0.0.192", "protocol assignments"},
      {"192.0.2.1", "documentation"},
      {"192.168.1.1", "private"},
      {"192.169.0.1", "public"},
      {"198.18.0.1", "benchmarking"},
      {"198.19.255.255", "benchmarking"},
      {"198.20.0.0", "public"},
      {"198.51.100.7", "documentation"},
      {"203.0.113.9", "documentation"},
      {"224.0.0.1", "multicast"},
      {"239.255.255.255", "multicast"},
      {"240.0.0.1", "reserved"},
      {"255.255.255.255", "reserved"},
      {"1.1.1.1", "public"},
      {"8.8.8.8", "public"},
      {"::", "unspecified"},
      {"::1", "loopback"},
      {"::2", "this network"},
      {"fe80::1", "link-local"},
      {"febf::1", "link-local"},
      {"fec0::1", "site-local"},
      {"fc00::1", "unique local"},
      {"fd00:ec2::254", "unique local"},
      {"ff02::1", "multicast"},
      {"100::1", "discard"},
      {"2001:db8::1", "documentation"},
      {"3fff::1", "documentation"},
      {"4000::1", "reserved"},
      {"2606:4700:4700::1111", "public"},
      {"2a00:1450::1", "public"},
  };
  for (const auto& [text, kind] : rows) EXPECT_EQ(kind_of(text), kind) << text;
}

TEST(SpecialAddress, LooksInsideAddressesThatCarryAnother) {
  const std::pair<const char*, const char*> rows[] = {
      {"::ffff:169.254.169.254", "link-local"},
      {"::ffff:7f00:1", "loopback"},
      {"::ffff:8.8.8.8", "public"},
      {"::127.0.0.1", "loopback"},
      {"::ffff:0:10.0.0.1", "private"},
      {"64:ff9b::127.0.0.1", "loopback"},
      {"64:ff9b::a9fe:a9fe", "link-local"},
      {"64:ff9b::8.8.8.8", "public"},
      {"64:ff9b:1::1", "reserved"},
      {"2002:7f00:1::", "loopback"},
      {"2002:a9fe:a9fe::1", "link-local"},
      {"2002:0808:0808::1", "public"},
      {"2001:0:0a00:1::1", "private"},                       // Teredo through a private server
      {"2001:0:4136:e378:8000:63bf:80ff:fffe", "loopback"},  // Teredo client 127.0.0.1, inverted
  };
  for (const auto& [text, kind] : rows) EXPECT_EQ(kind_of(text), kind) << text;
}

/// What the resolver makes of a host, however it is spelled, is what the guard is asked about.
std::vector<IpAddress> resolve_numeric(const char* host) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<IpAddress> out;
  if (getaddrinfo(host, nullptr, &hints, &found) != 0) return out;
  for (const auto* entry = found; entry != nullptr; entry = entry->ai_next)
    out.push_back(*ip_from_sockaddr(*entry->ai_addr));
  freeaddrinfo(found);
  return out;
}

TEST(AddressGuard, IsNotFooledByOddSpellings) {
  const AddressGuard guard;
  for (const char* host : {"127.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "0.0.0.0", "0",
                           "::", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
                           "2002:7f00:1::", "169.254.43518", "10.1", "::1", "fe80::1"}) {
    const auto addresses = resolve_numeric(host);
    ASSERT_FALSE(addresses.empty()) << host;
    for (const auto& address : addresses) EXPECT_TRUE(guard.refuse(host, address, 80)) << host;
  }
  EXPECT_FALSE(guard.refuse("example.org", *parse_ip("93.184.215.14"), 443));
}

TEST(AddressGuard, OpensLoopbackOnlyWhenAsked) {
  const AddressGuard guard(true, {});
  EXPECT_FALSE(guard.refuse("localhost.", *parse_ip("127.0.0.1"), 8080));
  EXPECT_FALSE(guard.refuse("x", *parse_ip("::1"), 8080));
  EXPECT_FALSE(guard.refuse("x", *parse_ip("::ffff:127.0.0.1"), 8080));
  for (const char* other :
       {"0.0.0.0", "::", "10.0.0.1", "169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::"}) {
    EXPECT_TRUE(guard.refuse("localhost", *parse_ip(other), 8080)) << other;
  }
}

TEST(AddressGuard, AllowsWhatTheListNames) {
  struct Row {
    const char* entry;
    const char* host;
    const char* address;
    std::uint16_t port;
    bool allowed;
  };
  const Row rows[] = {
      {"10.0.0.0/8", "a", "10.1.2.3", 80, true},
      {"10.0.0.0/8", "a", "192.168.0.1", 80, false},
      {"10.0.0.0/8", "a", "::ffff:10.1.2.3", 80, true},
      {"10.0.0.0/8:443", "a", "10.1.2.3", 443, true},
      {"10.0.0.0/8:443", "a", "10.1.2.3", 80, false},
      {"10.0.0.7", "a", "10.0.0.7", 1, true},
      {"10.0.0.7:25", "a", "10.0.0.7", 25, true},
      {"10.0.0.7:25", "a", "10.0.0.8", 25, false},
      {"Mail.Internal", "mail.internal.", "10.0.0.8", 25, true},
      {"mail.internal:25", "MAIL.internal", "10.0.0.8", 25, true},
      {"mail.internal:25", "mail.internal", "10.0.0.8", 26, false},
      {"mail.internal", "evil.mail.internal", "10.0.0.8", 25, false},
      {"fd00::/8", "a", "fd12::1", 80, true},
      {"[fd00::1]:80", "a", "fd00::1", 80, true},
      {"[fd00::1]:80", "a", "fd00::1", 81, false},
      {"[fd00::]/8:80", "a", "fd12::1", 80, true},
      {"mail.internal:x", "mail.internal", "10.0.0.8", 25, false},
      {"10.0.0.0/33", "a", "10.0.0.1", 80, false},
      {"", "a", "10.0.0.1", 80, false},
  };
  for (const auto& row : rows) {
    const AddressGuard guard(false, {row.entry});
    EXPECT_EQ(!guard.refuse(row.host, *parse_ip(row.address), row.port), row.allowed)
        << row.entry << " " << row.host << " " << row.address << ":" << row.port;
  }
}

TEST(AddressGuard, SaysWhatItRefuses) {
  EXPECT_EQ(AddressGuard().refuse("intranet", *parse_ip("10.0.0.1"), 80),
            "intranet leads to 10.0.0.1, a private address");
}

}  // namespace
}  // namespace fp::tasks

#include "net/host_names.hpp"
#include "net/http_client.hpp"

#include <gtest/gtest.h>

namespace fp::net {
namespace {

TEST(Address, ReadsHostAndPort) {
  const struct {
    const char* text;
    const char* host;
    std::uint16_t port;
  } rows[] = {{"http://127.0.0.1:8080", "127.0.0.1", 8080},
              {"HTTP://localhost/", "localhost", 8080},
              {"example.org:81", "example.org", 81},
              {"http://[::1]:9000", "[::1]", 9000},
              {"[::1]", "[::1]", 8080}};
  for (const auto& row : rows) {
    const auto address = parse_address(row.text);
    ASSERT_TRUE(address) << row.text;
    EXPECT_EQ(address->host, row.host);
    EXPECT_EQ(address->port, row.port);
  }
}

TEST(Address, RefusesTheRestAndSaysHowToWriteIt) {
  for (const char* text : {"", "http://", "https://localhost:1", "http://localhost:0",
                           "http://localhost:65536", "http://localhost:x", "http://localhost:80/path",
                           "http://user@localhost", "http://[::1", "http://localhost:"}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, "usage.address");
    EXPECT_NE(address.error().message.find("http://127.0.0.1:8080"), std::string::npos);
  }
}

TEST(HostNames, AreLoopbackAndWhatWasConfigured) {
  const HostNames names("192.168.1.5", {"Flow.Example.org", "with.port:8443", "fe80::1"});
  for (const char* host :
       {"localhost", "LocalHost:1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "192.168.1.5:80",
        "flow.example.ORG", "with.port", "with.port:1", "[fe80::1]:80"}) {
    EXPECT_TRUE(names.contains(host)) << host;
  }
  for (const char* host :
       {"", "evil.example", "localhost.", "localhost.evil", "127.0.0.2", "[::2]", "example.org"}) {
    EXPECT_FALSE(names.contains(host)) << host;
  }
}

}  // namespace
}  // namespace fp::net

#include "net/request_target.hpp"

#include <gtest/gtest.h>

namespace fp::net {
namespace {

TEST(RequestTarget, DecodesPathAndQuery) {
  const auto target = parse_request_target("/a%20b/%C3%A4+c?x=1+2&y=%26%3d&x=&flag&&z=a=b");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a b/\xC3\xA4+c");
  const Fields query{{"x", "1 2"}, {"y", "&="}, {"x", ""}, {"flag", ""}, {"z", "a=b"}};
  EXPECT_EQ(target->query, query);
}

TEST(RequestTarget, ReadsTheAbsoluteForm) {
  const auto target = parse_request_target("HTTP://localhost:8080?x=1");
  ASSERT_FALSE(target);  // the path may not be left out before a query
  const auto whole = parse_request_target("http://localhost:8080/p?x=1");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->authority, "localhost:8080");
  EXPECT_EQ(whole->path, "/p");
  EXPECT_EQ(parse_request_target("http://localhost")->path, "/");
}

TEST(RequestTarget, RefusesWhatOthersReadInDifferentWays) {
  for (const char* text :
       {"",          "x",      "*",     "http://", "/%",      "/%4",        "/%zz", "/a%2Fb",
        "/a%2fb",    "/a%5Cb", "/a%00", "/%FF",    "/%C3",    "/%ED%A0%80", "/..",  "/a/../b",
        "/%2e%2E/x", "/a/..",  "/a#b",  "/?%",     "/?a=%00", "/?%FF=1"}) {
    EXPECT_FALSE(parse_request_target(text)) << text;
  }
  for (const char* text : {"/", "/...", "/a..b", "/.well-known/x", "//a", "/?..", "/?a=/../b"}) {
    EXPECT_TRUE(parse_request_target(text)) << text;
  }
}

}  // namespace
}  // namespace fp::net

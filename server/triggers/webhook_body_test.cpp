#include "triggers/webhook_body.hpp"

#include "base/json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fp::triggers {
namespace {

std::string read(std::string_view type, std::string_view body) {
  const auto out = read_body(type, body);
  return out ? to_text(*out) : out.error().code;
}

TEST(WebhookBody, IsReadByItsType) {
  EXPECT_EQ(read("application/json", R"({"a": [1, 2]})"), R"({"a":[1,2]})");
  EXPECT_EQ(read("Application/vnd.x+JSON; charset=\"UTF-8\"", "true"), "true");
  EXPECT_EQ(read("application/json", ""), "null");
  EXPECT_EQ(read("text/plain;charset=utf-8", "hé"), "\"hé\"");
  EXPECT_EQ(read("", R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(read("", "plain"), "\"plain\"");
  EXPECT_EQ(read("image/png", std::string("\x89PNG\0", 5)),
            R"({"base64":"iVBORwA=","content_type":"image/png"})");
}

TEST(WebhookBody, FormsAreReadAsBrowsersWriteThem) {
  constexpr auto kForm = "application/x-www-form-urlencoded";
  EXPECT_EQ(read(kForm, "a=1&b=x+y%21&a=2&a=3&c&=n"), R"({"a":["1","2","3"],"b":"x y!","c":"","":"n"})");
  EXPECT_EQ(read(kForm, "a=%zz&b=100%"), R"({"a":"%zz","b":"100%"})");
  EXPECT_EQ(read(kForm, "a=%ff"), "webhook.body");
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "a=1&";
  EXPECT_EQ(read(kForm, many), "webhook.too_large");
}

TEST(WebhookBody, WhatItIsNotIsRefused) {
  EXPECT_EQ(read("application/json", "{"), "webhook.body");
  EXPECT_EQ(read("application/json", R"({"a":1,"a":2})"), "webhook.body");
  EXPECT_EQ(read("text/plain; charset=utf-7", "+ADw-"), "webhook.media");
  EXPECT_EQ(read("application/json; charset=utf-16", "{}"), "webhook.media");
  EXPECT_EQ(read("multipart/mixed; boundary=x", "--x--"), "webhook.media");
  EXPECT_EQ(read("text/plain", "\xff"), "webhook.body");
  EXPECT_EQ(read("application/json", R"({"files":{"a":{"filepath":"/etc/passwd"}}})"),
            R"({"files":{"a":{"filepath":"/etc/passwd"}}})")
      << "plain data, whatever it looks like";
}

}  // namespace
}  // namespace fp::triggers

#include "triggers/multipart.hpp"

#include "base/json.hpp"
#include "triggers/webhook_body.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace fp::triggers {
namespace {

std::string read(const std::string& body, const std::string& boundary = "b") {
  const auto out = read_body("multipart/form-data; boundary=" + boundary, body);
  return out ? to_text(*out) : out.error().code;
}

std::string part(const std::string& disposition, const std::string& content) {
  return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n";
}

TEST(Multipart, FieldsAreTextsAndFilesAreTheirBytes) {
  const auto body = part("name=\"who\"", "ada") + part("name=\"tag\"", "a") + part("name=tag", "b") +
                    "--b\r\ncontent-type: image/png\r\nContent-Disposition: form-data; name=\"file\"; "
                    "filename=\"a \\\"b\\\".png\"\r\n\r\nx\r\ny\r\n--b--\r\n";
  EXPECT_EQ(
      read(body),
      R"({"who":"ada","tag":["a","b"],"file":{"filename":"a \"b\".png","content_type":"image/png",)"
      R"("size":4,"sha256":"b81d54de3d39c210c9579f8b7f4c0cf68d4394a068c150ae6d2556371675b32d","base64":"eA0KeQ=="}})");
}

TEST(Multipart, WhatStandsAroundTheBoundariesIsLeftOut) {
  const auto one = part("name=\"a\"", "1");
  EXPECT_EQ(read("preamble\r\n" + one + "--b--\r\nepilogue\r\n--b\r\n"), R"({"a":"1"})");
  EXPECT_EQ(read(part("name=\"a\"", "") + "--b-- \t"), R"({"a":""})");
  EXPECT_EQ(read("--b--"), "{}");
  EXPECT_EQ(read("--b \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--"), R"({"a":"1"})");
}

TEST(Multipart, ABoundaryInsideContentIsContent) {
  for (const char* content : {"x--b\r\n", "\n--b\r\n", "\r\n--bb\r\n", "\r\n--b-\r\n", "\r\n--b x\r\n"})
    EXPECT_EQ(read(part("name=a", content) + "--b--"), to_text(JsonObject{{"a", content}})) << content;
}

TEST(Multipart, WhatIsMalformedIsRefused) {
  const auto one = part("name=\"a\"", "1");
  for (const auto& body :
       {std::string("--"), one, one + "--b", one + "--b-", one + "--b\r\n--b--",
        std::string("--b\r\n\r\n1\r\n--b--"),
        std::string("--b\r\nContent-Disposition: form-data; name=a\r\n--b--"),
        std::string("--b\nContent-Disposition: form-data; name=a\n\n1\n--b--"), part("nam=a", "1") + "--b--",
        part("name=\"a", "1") + "--b--", part("name=a; name=b", "1") + "--b--",
        part("name=\"\x01\"", "1") + "--b--", part("name=\"\xff\"", "1") + "--b--",
        part("name=a", "\xff") + "--b--", part("name=a; filename*=latin1''x", "1") + "--b--",
        part("name=a; filename*=utf-8''%4", "1") + "--b--",
        std::string("--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b--"),
        std::string("--b\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n--b--")})
    EXPECT_EQ(read(body), "webhook.body") << body;
  EXPECT_EQ(read(one + "--b--", ""), "webhook.body");
  EXPECT_EQ(read(one + "--b--", "\"b \""), "webhook.body");
  EXPECT_EQ(read(one + "--b--", std::string(71, 'b')), "webhook.body");
  EXPECT_EQ(read("--b\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: form-data; "
                 "name=a\r\n\r\nMQ==\r\n--b--"),
            "webhook.media");
}

TEST(Multipart, NamesOfFilesMayBeExtended) {
  EXPECT_EQ(read_body("multipart/form-data; boundary=\"b\"",
                      part("name=a; filename*=UTF-8''%e2%82%ac.txt", "1") + "--b--")
                ->at("a")
                .at("filename"),
            "€.txt");
}

TEST(Multipart, HasLimits) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += part("name=a", "");
  EXPECT_TRUE(read(many + "--b--").starts_with("{\"a\":["));
  EXPECT_EQ(read(many + part("name=a", "") + "--b--"), "webhook.too_large");
  EXPECT_EQ(read(part("name=" + std::string(257, 'x'), "") + "--b--"), "webhook.too_large");
  EXPECT_EQ(read("--b\r\nX-Long: " + std::string(9000, 'x') + "\r\n\r\n\r\n--b--"), "webhook.too_large");
}

RC_GTEST_PROP(Multipart, GivesBackWhatWasWritten, (const std::vector<std::string>& contents)) {
  std::string body;
  for (const auto& content : contents) {
    RC_PRE(content.find("\r\n--b") == std::string::npos && !content.starts_with("--b"));
    body += part("name=f; filename=x", content);
  }
  body += "--b--\r\n";
  const auto parts = parse_multipart("b", body);
  RC_ASSERT(parts.has_value());
  RC_ASSERT(parts->size() == contents.size());
  for (std::size_t i = 0; i < contents.size(); ++i) RC_ASSERT((*parts)[i].content == contents[i]);
}

}  // namespace
}  // namespace fp::triggers

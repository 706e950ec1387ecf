#include "base/json_parse.hpp"

#include <gtest/gtest.h>

namespace fp {
namespace {

TEST(ParseJson, GivesTheValueOfWellFormedText) {
  const auto parsed = parse_json(R"({"a":[1,-2.5,"x",null,true],"b":{"c":18446744073709551615}})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_text(*parsed), R"({"a":[1,-2.5,"x",null,true],"b":{"c":18446744073709551615}})");
}

TEST(ParseJson, KeepsEveryNumberExactly) {
  for (const char* text : {"60.5", "0.1", "1e+300", "5e-324", "-0.30000000000000004", "123456.789",
                           "1.1805916207174113e+21", "1.7976931348623157e+308"}) {
    EXPECT_EQ(to_text(*parse_json(text)), text);
    EXPECT_EQ(to_text(parse_trusted_json(text)), text);
  }
  EXPECT_EQ(to_text(Json(60.0)), "60");
  EXPECT_EQ(to_text(Json("a\"\\\n\x01\xC3\xA4")), "\"a\\\"\\\\\\n\\u0001\xC3\xA4\"");
}

TEST(ParseJson, RefusesWhatOthersReadInDifferentWays) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "json.empty"},
      {" \n\t", "json.empty"},
      {"{\"a\":1,}", "json.syntax"},
      {"{'a':1}", "json.syntax"},
      {"NaN", "json.syntax"},
      {"1 2", "json.syntax"},
      {"// x\n1", "json.syntax"},
      {"\xEF\xBB\xBF{}", "json.syntax"},
      {"{\"a\":1,\"a\":2}", "json.duplicate_key"},
      {"{\"a\":{\"b\":1,\"b\":2}}", "json.duplicate_key"},
      {"1e999", "json.number_range"},
      {"123456789012345678901234567890", "json.number_range"},
      {"[", "json.syntax"},
      {"\"\\ud800\"", "json.syntax"},
      {"\"\xff\"", "json.syntax"},
  };
  for (const auto& [text, code] : rows) {
    const auto parsed = parse_json(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, code) << text;
  }
}

TEST(ParseJson, NamesLineAndColumnOfASyntaxError) {
  const auto parsed = parse_json("{\n  \"a\": 1,\n}");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message.substr(0, 31), "not JSON at line 3, column 1: s")
      << parsed.error().message;
}

TEST(ParseJson, KeepsToItsLimits) {
  EXPECT_EQ(parse_json(std::string(100, '['), {.max_depth = 50}).error().code, "json.too_deep");
  EXPECT_EQ(parse_json("[1,2,3,4]", {.max_bytes = 4}).error().code, "json.too_large");
}

}  // namespace
}  // namespace fp

#include "base/json_parse.hpp"
#include "model/workflow.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace fp::model {
namespace {

TEST(ParseDocument, ResolvesYamlScalarsAsTheCoreSchemaSays) {
  const auto parsed = parse_document(
      "a: 1\nb: yes\nc: 'true'\nd: true\ne: 1.5\nf: ~\ng: 0x10\nh: 2026-01-31\ni: \"5\"\nj: on\nk: -3\nl: "
      "1e3\n");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(
      to_text(*parsed),
      R"({"a":1,"b":"yes","c":"true","d":true,"e":1.5,"f":null,"g":16,"h":"2026-01-31","i":"5","j":"on","k":-3,"l":1000})");
}

TEST(ParseDocument, GivesTheLineOfEachValue) {
  std::unordered_map<std::string, std::size_t> lines;
  ASSERT_TRUE(parse_document("name: x\nsteps:\n  - id: a\n    config:\n      to/from: 1\n", {}, &lines));
  EXPECT_EQ(lines.at("/steps/0/id"), 3u);
  EXPECT_EQ(lines.at("/steps/0/config/to~1from"), 5u);
}

TEST(ParseDocument, ExpandsAliasesWithinBounds) {
  const auto parsed = parse_document("a: &x {b: [1, 2]}\nc: *x\n");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_text(*parsed), R"({"a":{"b":[1,2]},"c":{"b":[1,2]}})");
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) bomb += std::string("*") + static_cast<char>(c - 1) + (i < 9 ? "," : "]\n");
  }
  EXPECT_EQ(parse_document(bomb).error().code, "yaml.limit");
}

TEST(ParseDocument, RefusesWithLineAndColumn) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "json.empty"},
      {"  \n", "json.empty"},
      {"a: 1\na: 2\n", "json.duplicate_key"},
      {"a: [1\n", "yaml.syntax"},
      {"a: 1\n---\nb: 2\n", "yaml.syntax"},
      {"a: !!python/object:os.system x\n", "yaml.syntax"},
      {"<<: {a: 1}\n", "yaml.syntax"},
      {"a: &x [*x]\n", "yaml.syntax"},
      {"a: 123456789012345678901\n", "json.number_range"},
      {"{\"a\": 1, \"a\": 2}", "json.duplicate_key"},
      {"? [a]\n: 1\n", "yaml.syntax"},
      {"a: h\xA2llo\n", "yaml.syntax"},
      {"\xC0\x80: 1\n", "yaml.syntax"},
  };
  for (const auto& [text, code] : rows) {
    const auto parsed = parse_document(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, code) << text << parsed.error().message;
  }
  EXPECT_EQ(parse_document(std::string("a\0b", 3)).error().code, "yaml.syntax");
  EXPECT_EQ(parse_document(std::string(2 << 20, 'a')).error().code, "workflow.too_large");
}

TEST(ParseDocument, SaysInWhichLineATextIsNotUtf8) {
  const auto parsed = parse_document("name: \xC3\xA9\nsteps: \xED\xA0\x80\n");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message, "line 2: the text is not UTF-8");
}

TEST(ParseDocument, RefusesHostileNestingBeforeTheParserRecurses) {
  for (const std::string unit : {"[", "{a: ", "- ", "? "}) {
    std::string text = "x: ";
    if (unit == "- " || unit == "? ") text.clear();
    for (int i = 0; i < 100'000; ++i) text += unit;
    EXPECT_FALSE(parse_document(text)) << unit;
  }
  std::string indented;
  for (int i = 0; i < 300; ++i) indented += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_EQ(parse_document(indented).error().code, "json.too_deep");
}

RC_GTEST_PROP(ParseDocument, NeverCrashesOnAnyText, (const std::string& text)) {
  // What it takes can be stored and read again.
  if (const auto parsed = parse_document(text)) RC_ASSERT(parse_json(to_text(*parsed)).has_value());
}

}  // namespace
}  // namespace fp::model

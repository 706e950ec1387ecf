#include "api/cursor.hpp"
#include "api/diff.hpp"
#include "api/slice.hpp"
#include "base/json_parse.hpp"
#include "model/workflow.hpp"
#include "model/yaml_text.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace fp::api {
namespace {

Json json(const char* text) {
  return parse_trusted_json(text);
}

TEST(Cursor, GoesBackToThePositionOfItsOwnListOnly) {
  const auto cursor = encode_cursor("executions", "4711");
  EXPECT_EQ(decode_cursor("executions", cursor).value(), "4711");
  EXPECT_FALSE(decode_cursor("workflows", cursor).has_value());
  for (const char* forged : {"", ".", "4711", "4712.00000000", "4711.", "x.y.z"})
    EXPECT_FALSE(decode_cursor("executions", forged).has_value()) << forged;
}

TEST(Slice, CutsListsMembersAndCodePoints) {
  const auto value = json(R"({"list": [1, 2, 3, 4], "text": "aäb", "map": {"x": 1, "y": 2}})");
  EXPECT_EQ(slice_value(value, "/list", 1, 2)->at("value"), json("[2, 3]"));
  EXPECT_EQ(slice_value(value, "/list", 9, 2)->at("value"), json("[]"));
  EXPECT_EQ(slice_value(value, "/text", 1, 1)->at("value"), json(R"("ä")"));
  EXPECT_EQ(slice_value(value, "/text", 0, 99)->at("total"), json("3"));
  EXPECT_EQ(slice_value(value, "/map", 1, 1)->at("value"), json(R"({"y": 2})"));
  EXPECT_EQ(slice_value(value, "", 0, 1)->at("type"), json(R"("object")"));
  EXPECT_FALSE(slice_value(value, "/list/x", 0, 1).has_value());
  EXPECT_FALSE(slice_value(value, "list", 0, 1).has_value());
}

TEST(Diff, MatchesStepsByTheirIds) {
  const auto before = json(
      R"({"name": "A", "steps": [{"id": "a", "config": {"x": 1}}, {"id": "b"}, {"id": "c"}], "ui": {"positions": {"a": [0, 0]}}})");
  const auto after = json(
      R"({"name": "B", "steps": [{"id": "c"}, {"id": "a", "config": {"x": 2}}, {"id": "d"}], "ui": {"positions": {"a": [9, 9]}}})");
  const auto diff = diff_documents(before, after);
  EXPECT_EQ(diff.at("steps"), json(R"({"added": ["d"], "removed": ["b"], "changed": ["a"]})"));
  EXPECT_EQ(diff.at("changes"), json(R"([
    {"pointer": "/name", "op": "replace", "before": "A", "after": "B"},
    {"pointer": "/steps/a/config/x", "op": "replace", "before": 1, "after": 2},
    {"pointer": "/steps/b", "op": "remove", "before": {"id": "b"}},
    {"pointer": "/steps/d", "op": "add", "after": {"id": "d"}}])"));
  EXPECT_TRUE(diff_documents(before, before).at("changes").get_array().empty());
}

/// Texts that YAML could take for something else, and some that are nothing special.
const std::vector<std::string> kTexts = {"",           "true",
                                         "null",       "1",
                                         "1e3",        "-",
                                         "- a",        "a: b",
                                         "#x",         " x",
                                         "x ",         "a\nb\n",
                                         "a\nb",       "\n",
                                         "ä",          "\t",
                                         "'q'",        "\"q\"",
                                         "{{ a }}",    "[1]",
                                         "{a}",        "*a",
                                         "&a",         "!a",
                                         "a\n\nb\n",   "~",
                                         "0x1F",       "12:30",
                                         "2026-01-01", "line: x\n",
                                         "\x01",       "yes",
                                         "NO",         "e\xCC\x81",
                                         "a\r\nb\n",   "%x",
                                         "@x",         "`x`",
                                         "? a",        "a #b",
                                         ".inf",       "=",
                                         "<<",         "---",
                                         "...",        "a\n b\n  c\n",
                                         " a\nb\n"};

Json arbitrary(int depth) {
  const auto kind = *rc::gen::inRange(0, depth > 0 ? 6 : 4);
  if (kind == 0) return *rc::gen::arbitrary<std::int64_t>();
  if (kind == 1) return *rc::gen::arbitrary<bool>();
  if (kind == 2) return nullptr;
  if (kind == 3) return Json(*rc::gen::elementOf(kTexts));
  const auto size = *rc::gen::inRange(0, 4);
  if (kind == 4) {
    JsonArray out;
    for (int i = 0; i < size; ++i) out.push_back(arbitrary(depth - 1));
    return out;
  }
  JsonObject out;
  for (int i = 0; i < size; ++i) out[*rc::gen::elementOf(kTexts)] = arbitrary(depth - 1);
  return out;
}

RC_GTEST_PROP(YamlText, IsReadBackAsTheSameValue, ()) {
  const Json value = JsonObject{{"v", arbitrary(3)}};
  const auto text = model::to_yaml_text(value);
  const auto again = model::parse_document(text);
  if (!again) RC_FAIL(again.error().message + "\n" + text);
  RC_ASSERT(*again == value);
}

}  // namespace
}  // namespace fp::api

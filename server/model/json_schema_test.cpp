#include "model/json_schema.hpp"

#include "base/json_parse.hpp"

#include <gtest/gtest.h>

namespace fp::model {
namespace {

std::vector<Issue> check(const char* schema, const char* value) {
  std::vector<Issue> issues;
  check_against_schema(*parse_json(value), *parse_json(schema), "", issues);
  return issues;
}

TEST(JsonSchema, AcceptsWhatFitsAndPointsAtWhatDoesNot) {
  struct Row {
    const char* schema;
    const char* value;
    const char* pointer;  // nullptr: fits
  };
  const Row rows[] = {
      {R"({"type":"object","required":["a"]})", R"({"a":1})", nullptr},
      {R"({"type":"object","required":["a"]})", "{}", ""},
      {R"({"properties":{"a":{"type":"integer"}}})", R"({"a":2.0})", nullptr},
      {R"({"properties":{"a":{"type":"integer"}}})", R"({"a":2.5})", "/a"},
      {R"({"type":["string","null"]})", "null", nullptr},
      {R"({"additionalProperties":false,"properties":{"a":true}})", R"({"b/c":1})", "/b~1c"},
      {R"({"items":{"minimum":3}})", "[3,2]", "/1"},
      {R"({"enum":["a","b"]})", R"("c")", ""},
      {R"({"type":"string","format":"email"})", R"("ada@example.org")", nullptr},
      {R"({"type":"string","format":"email"})", R"("ada")", ""},
      {R"({"pattern":"^(a+)+$"})", R"("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")", ""},
      {R"({"oneOf":[{"required":["a"]},{"required":["b"]}]})", R"({"a":1,"b":1})", ""},
      {R"({"$defs":{"n":{"type":"number"}},"items":{"$ref":"#/$defs/n"}})", R"(["x"])", "/0"},
      {R"({"if":{"required":["a"]},"then":{"required":["b"]}})", R"({"a":1})", ""},
      {R"({"minLength":2})", "\"\xC3\xA4\"", ""},
      {R"({"uniqueItems":true})", "[1,2,1]", ""},
      {R"({"not":{"type":"null"}})", "null", ""},
      {R"({"$ref":"#"})", "1", nullptr},
  };
  for (const auto& row : rows) {
    const auto issues = check(row.schema, row.value);
    EXPECT_EQ(issues.empty(), row.pointer == nullptr) << row.schema << " " << row.value;
    if (row.pointer != nullptr && !issues.empty()) {
      EXPECT_EQ(issues[0].pointer, row.pointer) << row.schema;
    }
  }
}

TEST(JsonSchema, SuggestsTheFieldThatWasMeant) {
  const auto issues =
      check(R"({"additionalProperties":false,"properties":{"subject":{}}})", R"({"subjct":1})");
  ASSERT_EQ(issues.size(), 1u);
  EXPECT_EQ(issues[0].message, "there is no field \"subjct\" (did you mean \"subject\"?)");
}

TEST(CheckSchema, RefusesSchemasThatCanNotWork) {
  for (const char* schema :
       {R"({"type":"text"})", R"({"pattern":"("})", R"({"$ref":"http://x"})", R"({"$ref":"#/$defs/x"})",
        R"({"properties":[]})", R"({"items":5})", R"({"required":"a"})"}) {
    std::vector<Issue> issues;
    check_schema(*parse_json(schema), "/inputs", issues);
    EXPECT_FALSE(issues.empty()) << schema;
  }
}

}  // namespace
}  // namespace fp::model

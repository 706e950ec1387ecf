#include "model/template.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"

#include <gtest/gtest.h>

namespace fp::model {
namespace {

class FixedScope final : public Scope {
 public:
  explicit FixedScope(const char* json) : root_(*parse_json(json)) {}
  Result<const Json*> read(const Path& path, Json& scratch) const override {
    return walk(root_, path, 0, scratch);
  }

 private:
  Json root_;
};

Template parse(const char* json) {
  std::vector<Issue> issues;
  auto parsed = Template::parse(*parse_json(json), "/config", issues);
  EXPECT_TRUE(issues.empty());
  return parsed;
}

TEST(Template, KeepsTheTypeOfALoneExpressionAndJoinsTheRestAsText) {
  const FixedScope scope(R"({"input":{"n":3,"list":[1,2],"name":"Ada"}})");
  const auto rendered =
      parse(
          R"({"n":"{{ input.n }}","l":"{{input.list}}","t":"{{ input.name }}: {{ input.list }}","c":"{{ 5 }}","k":"{x}"})")
          .render(scope, {});
  ASSERT_TRUE(rendered);
  EXPECT_EQ(to_text(*rendered), R"({"n":3,"l":[1,2],"t":"Ada: [1,2]","c":5,"k":"{x}"})");
}

TEST(Template, TakesJavaScriptResultsInOrder) {
  const auto part = parse(R"(["{{ 1+1 }}", {"a": "x{{ 2+2 }}y{{ input.n }}"}, "{{ 3+3 }}"])");
  ASSERT_EQ(part.javascript().size(), 3u);
  const std::vector<Result<Json>> results = {Json(2), Json(4), Json(6)};
  EXPECT_EQ(to_text(*part.render(FixedScope(R"({"input":{"n":1}})"), results)), R"([2,{"a":"x4y1"},6])");
}

TEST(Template, NeverEvaluatesWhatDataHolds) {
  const FixedScope scope(R"({"input":{"evil":"{{ input.secret }}","secret":"s"}})");
  EXPECT_EQ(*parse(R"("hi {{ input.evil }}")").render(scope, {}), Json("hi {{ input.secret }}"));
}

TEST(Template, ReportsUnclosedAndEmptyExpressionsWithTheirPlace) {
  std::vector<Issue> issues;
  Template::parse(*parse_json(R"({"a":["ok","x\n {{ input.a"],"b":"{{ }}"})"), "/config", issues);
  ASSERT_EQ(issues.size(), 2u);
  EXPECT_EQ(issues[0].pointer, "/config/a/1");
  EXPECT_EQ(issues[0].message, "at line 2, column 4 of this text: this expression is never closed with }}");
  EXPECT_EQ(issues[1].pointer, "/config/b");
}

TEST(Template, SurvivesCopyAndMove) {
  auto first = parse(R"({"a":"{{ 1+1 }}"})");
  const Template copy = first;
  const Template moved = std::move(first);
  EXPECT_EQ(copy.javascript()[0]->source, " 1+1 ");
  EXPECT_EQ(moved.javascript()[0]->source, " 1+1 ");
}

}  // namespace
}  // namespace fp::model

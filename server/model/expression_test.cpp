#include "model/expression.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace fp::model {
namespace {

TEST(FindExpressionEnd, StepsOverWhatOnlyLooksLikeTheEnd) {
  const std::pair<const char*, const char*> rows[] = {
      {" input.a }} rest", " input.a "},
      {" '}}' + \"}}\" }}", " '}}' + \"}}\" "},
      {" {a: {b: 1}} }}", " {a: {b: 1}} "},
      {" {a: {b: 1}}}}", " {a: {b: 1}}"},
      {" `${ `}}` } }}` }}", " `${ `}}` } }}` "},
      {" /}}/.test(input.x) }}", " /}}/.test(input.x) "},
      {" /[/}}]/.test(x) }}", " /[/}}]/.test(x) "},
      {" a / b }}/ 1", " a / b "},
      {" a /* }} */ }}", " a /* }} */ "},
      {" a // }}\n }}", " a // }}\n "},
  };
  for (const auto& [text, source] : rows) {
    const auto end = find_expression_end(text, 0);
    ASSERT_NE(end, std::string::npos) << text;
    EXPECT_EQ(std::string_view(text).substr(0, end), source) << text;
  }
  EXPECT_EQ(find_expression_end(" 'a }}", 0), std::string::npos);
  EXPECT_EQ(find_expression_end(" {a: 1 }", 0), std::string::npos);
}

TEST(ParseExpression, TellsConstantsPathsAndJavaScriptApart) {
  EXPECT_EQ(parse_expression(" 5 ").constant, Json(5));
  EXPECT_EQ(parse_expression("\"x\"").constant, Json("x"));
  EXPECT_TRUE(parse_expression(" input.items[0].sku ").path);
  EXPECT_TRUE(parse_expression("steps.crm.output[\"a b\"]").path);
  for (const char* source :
       {"input.a + 1", "input?.a", "undefined", "input[input.b]", "(input)", "input.a()", "[1]"}) {
    EXPECT_TRUE(parse_expression(source).is_javascript()) << source;
  }
}

TEST(ParseExpression, KnowsWhatAnExpressionReads) {
  const auto read = parse_expression(
      "steps.a.output.x > 1 && steps['b'].output && `${steps.c.output}` && vars.steps && steps?.d");
  EXPECT_EQ(read.steps, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(read.roots, (std::vector<std::string>{"steps", "vars"}));
  EXPECT_FALSE(read.reads_any_step);
  EXPECT_TRUE(parse_expression("steps[input.name].output").reads_any_step);
  EXPECT_TRUE(parse_expression("Object.keys(steps)").reads_any_step);
  EXPECT_TRUE(parse_expression("'steps.a' + 1").steps.empty());
}

RC_GTEST_PROP(FindExpressionEnd, AlwaysEndsInsideAnyText, (const std::string& text)) {
  const auto end = find_expression_end(text, 0);
  if (end != std::string::npos) RC_ASSERT(std::string_view(text).substr(end, 2) == "}}");
  static_cast<void>(parse_expression(text));
}

TEST(FindExpressionEnd, SurvivesDeeplyNestedTemplates) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "`${";
  EXPECT_EQ(find_expression_end(text, 0), std::string::npos);
}

}  // namespace
}  // namespace fp::model

#include "sandbox/sandboxed_evaluator.hpp"

#include <gtest/gtest.h>

#include "sandbox/evaluator_fixture.hpp"

namespace fp::sandbox {
namespace {

TEST(SandboxedEvaluator, AnswersAnExpressionOverItsScope) {
  SandboxedEvaluator evaluator;
  const auto scope = make_scope({{"input", R"({"score":90})"}, {"steps.crm.output", R"({"data":{"vip":true}})"}});
  EXPECT_EQ(evaluate_one(evaluator, "input.score > 80 && steps.crm.output.data.vip", scope), "true");
  EXPECT_EQ(evaluate_one(evaluator, "steps.crm.output.dta", scope),
            "expr.undefined: `steps.crm.output.dta` is undefined: `output` has `data`");
}

TEST(SandboxedEvaluator, ChecksSyntaxWithoutRunning) {
  SandboxedEvaluator evaluator;
  const auto problems = evaluator.check_syntax({"a.b", "1 +\n  * 2"});
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_FALSE(problems[0]);
  ASSERT_TRUE(problems[1]);
  EXPECT_EQ(problems[1]->line, 2u);
  EXPECT_EQ(problems[1]->column, 3u);
}

}  // namespace
}  // namespace fp::sandbox

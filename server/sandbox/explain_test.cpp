#include "sandbox/explain.hpp"

#include "sandbox/evaluator_fixture.hpp"

#include <gtest/gtest.h>

namespace fp::sandbox {
namespace {

TEST(ExplainPath, StopsAtTheFirstStepThatLeadsNowhere) {
  const auto entries =
      make_scope({{"input", R"({"a b":{"c":[{"d":1}]},"n":5,"s":"x"})"}, {"steps.one.output", R"({})"}});
  const ReadableScope scope{entries};
  const std::pair<const char*, const char*> rows[] = {
      {"input['a b'].c[0].e", "`input['a b'].c[0].e` is undefined: `0` has `d`"},
      {"input[\"a b\"]?.c[3].d", "`input[\"a b\"]?.c[3]` is undefined: `c` is a list of 1 item"},
      {" input.n.x ", "`input.n.x` is undefined: `n` is a number"},
      {"steps.one.output.x", "`steps.one.output.x` is undefined: `output` has no fields"},
      {"steps.one.error", "`steps.one.error` is undefined: `one` has `output`"},
      {"steps.two", "`steps.two` is undefined: the steps here are `one`"},
      {"item", "`item` is not defined: an expression here can read `input`, `steps`"},
      {"input.n", ""},
      {"input.s.length", ""},
      {"input.f()", ""},
      {"input[x]", ""},
      {"input.", ""},
      {"input[99999999999999999999]",
       "`input[99999999999999999999]` is undefined: `input` has `a b`, `n`, `s`"},
      {"", ""},
  };
  for (const auto& [path, expected] : rows) EXPECT_EQ(explain_path(path, scope), expected) << path;
}

TEST(ExplainPath, ListsTwelveFieldsAndCountsTheRest) {
  std::string text = "{";
  for (int i = 0; i < 15; ++i) text += (i ? ",\"f" : "\"f") + std::to_string(i) + "\":0";
  const auto entries = make_scope({{"input", (text + "}").c_str()}});
  const auto said = explain_path("input.x", ReadableScope{entries});
  EXPECT_TRUE(said.ends_with("`f10`, `f11` and 3 more")) << said;
}

TEST(ExplainMessage, KeepsTheEnginesWordsWhenThePathSaysNothing) {
  const auto entries = make_scope({{"input", R"({"a":1})"}});
  const ReadableScope scope{entries};
  EXPECT_EQ(explain_message("can't access property \"x\", input.b is undefined", scope),
            "`input.b` is undefined: `input` has `a`");
  EXPECT_EQ(explain_message("(intermediate value).x is undefined", scope),
            "(intermediate value).x is undefined");
  EXPECT_EQ(explain_message("can't access property \"x\", f(1, 2) is undefined", scope),
            "can't access property \"x\", f(1, 2) is undefined");
}

}  // namespace
}  // namespace fp::sandbox

#include "sandbox/evaluator_fixture.hpp"

#include <gtest/gtest.h>

namespace fp::sandbox {
namespace {

const auto kScope = make_scope({
    {"input",
     R"({"score":90,"name":"Ada","list":[3,1,2],"big":9007199254740993,"none":null,"text":"{{ input.score }}"})"},
    {"steps.crm.output", R"({"status_code":200,"headers":{},"data":{"vip":true}})"},
    {"steps.load.output", R"([1,2])"},
    {"execution", R"({"id":"x"})"},
});

struct Row {
  const char* expression;
  const char* expected;
};

class Evaluation : public testing::Test {
 protected:
  static void SetUpTestSuite() { evaluator_ = std::make_unique<SandboxedEvaluator>(); }
  static void TearDownTestSuite() { evaluator_.reset(); }

  static void expect_rows(const std::vector<Row>& rows) {
    for (const auto& [expression, expected] : rows)
      EXPECT_EQ(evaluate_one(*evaluator_, expression, kScope), expected) << expression;
  }
  static void expect_code(const std::vector<const char*>& expressions, const std::string& code) {
    for (const auto* expression : expressions) {
      const auto text = evaluate_one(*evaluator_, expression, kScope);
      EXPECT_EQ(text.substr(0, text.find(':')), code) << expression << " gave " << text;
    }
  }
  static inline std::unique_ptr<SandboxedEvaluator> evaluator_;
};

TEST_F(Evaluation, KeepsTheTypeOfTheResult) {
  expect_rows({
      {"1 + 1", "2"},
      {"0.1 + 0.2", "0.30000000000000004"},
      {"2 ** 70", "1.1805916207174113e+21"},
      {"'a' + 1", "\"a1\""},
      {"null", "null"},
      {"input.none ?? 'fallback'", "\"fallback\""},
      {"input.missing?.deeper ?? 7", "7"},
      {"({a: [1, {b: true}], c: undefined})", R"({"a":[1,{"b":true}]})"},
      {"[1, undefined]", "[1,null]"},
      {"new Date(0)", "\"1970-01-01T00:00:00.000Z\""},
      {"input.list.filter(x => x > 1).map(x => x * 2)", "[6,4]"},
      {"`${input.name}: ${input.score}`", "\"Ada: 90\""},
      {"input.text", "\"{{ input.score }}\""},
      {"Object.entries({a: 1}).flat().length", "2"},
      {"'é😀'.length + 'é😀'", "\"3é😀\""},
      {"/(\\d+)-(\\d+)/.exec('10-20').slice(1).map(Number)", "[10,20]"},
      {"'2024-02-29'.split('-').map(Number)", "[2024,2,29]"},
      {"(1234.5).toLocaleString('de-DE')", "\"1.234,5\""},
      {"1 // a comment at the end", "1"},
      {"(1, 2)", "2"},
      {"(() => { let n = 0; for (const x of input.list) n += x; return n })()", "6"},
      {"[...new Set([1, 1, 2])]", "[1,2]"},
      {"structuredCloneIsAbsent = 1",
       "expr.failed: assignment to undeclared variable structuredCloneIsAbsent (line 1, column 1)"},
  });
}

TEST_F(Evaluation, ReplacesHalfCharactersInsteadOfFailing) {
  expect_rows({{"'😀'[0]", "\"\uFFFD\""}, {"({[`${'😀'[1]}`]: '\\\\ud800'})", "{\"\uFFFD\":\"\\\\ud800\"}"}});
}

TEST_F(Evaluation, RefusesResultsThatAreNotJson) {
  expect_code({"() => 1", "Symbol()", "10n", "NaN", "1 / 0", "[NaN]", "({a: {b: () => 1}})", "new Map()",
               "[new Set()]", "(() => { const o = {}; o.o = o; return o })()", "new Date('nonsense')",
               "({d: new Date(NaN)})", "[[10n]]"},
              "expr.result");
}

TEST_F(Evaluation, SaysWhatExistsInsteadOfWhatIsMissing) {
  expect_rows({
      {"steps.crm.output.dta",
       "expr.undefined: `steps.crm.output.dta` is undefined: `output` has `status_code`, `headers`, `data`"},
      {"steps.crm.output.dta.id + 1",
       "expr.undefined: `steps.crm.output.dta` is undefined: `output` has `status_code`, `headers`, `data`"},
      {"steps.crn.output", "expr.undefined: `steps.crn` is undefined: the steps here are `crm`, `load`"},
      {"inptu.score",
       "expr.undefined: `inptu` is not defined: an expression here can read `input`, `steps`, `execution`"},
      {"steps.load.output[2]",
       "expr.undefined: `steps.load.output[2]` is undefined: `output` is a list of 2 items"},
      {"undefined", "expr.undefined: the expression gives undefined; `??` can give it a fallback"},
      {"input.none.x", "expr.failed: can't access property \"x\", input.none is null (line 1, column 1)"},
  });
}

TEST_F(Evaluation, ReportsWhatWasThrownAndWhere) {
  expect_rows({
      {"(() => { throw new RangeError('too far') })()", "expr.failed: too far (line 1, column 16)"},
      {"1 +\n  (() => { throw 'plain' })()", "expr.failed: plain (line 2, column 12)"},
      {"input.name.foo()", "expr.failed: input.name.foo is not a function (line 1, column 12)"},
      {"(() => { throw {toString() { throw 1 }} })()",
       "expr.failed: an exception that is no Error was thrown (line 1, column 17)"},
  });
}

TEST_F(Evaluation, TakesExactlyOneExpression) {
  expect_code({"",
               "  ",
               "1; 2",
               "1, 2",
               "1) } (",
               "}{",
               "1); (2",
               "1) + (2",
               "1 : 2, 0 ? 3",
               "a) => (b",
               "*/ 1 /*",
               "/* 1",
               "return 1",
               "let x = 1",
               "if (1) {}",
               "'unclosed",
               "`${",
               "(1",
               "1)",
               "1]",
               "], [",
               "// only a comment",
               "...[1]",
               "1\n}\n{\n2",
               "\xff",
               "{{ 1 }}",
               "input.{{x}}"},
              "expr.syntax");
}

TEST_F(Evaluation, ReadsTimeAndRandomnessFromTheRecord) {
  expect_rows({
      {"Date.now()", "1700000000000"},
      {"new Date().toISOString()", "\"2023-11-14T22:13:20.000Z\""},
      {"Date().startsWith('Tue Nov 14 2023 22:13:20')", "true"},
      {"new Date(2024, 1, 29).toISOString()", "\"2024-02-29T00:00:00.000Z\""},
      {"Date.parse('2024-01-01T00:00:00Z')", "1704067200000"},
      {"new Intl.DateTimeFormat('en', {timeZone: 'Europe/Berlin', timeStyle: 'short'}).format()",
       "\"11:13 PM\""},
  });
  const auto first =
      evaluate_all(*evaluator_, make_request({"Math.random()", "[Math.random(), Math.random()]"}));
  EXPECT_EQ(first,
            evaluate_all(*evaluator_, make_request({"Math.random()", "[Math.random(), Math.random()]"})));
  EXPECT_EQ(first[1].substr(1, first[0].size()), first[0]) << "each expression starts the sequence anew";
  auto other = make_request({"Math.random()"});
  other.seed = 8;
  EXPECT_NE(first[0], evaluate_all(*evaluator_, std::move(other)).front());
}

TEST_F(Evaluation, EvaluatesOncePerItem) {
  auto request = make_request({"item.n * 2", "index", "item.n > input.list.length", "item.x"}, kScope);
  request.items = make_value(parse_json(R"([{"n":5},{"n":1}])").value());
  EXPECT_EQ(evaluate_all(*evaluator_, std::move(request)),
            (std::vector<std::string>{"10", "2", "0", "1", "true", "false",
                                      "expr.undefined: `item.x` is undefined: `item` has `n`",
                                      "expr.undefined: `item.x` is undefined: `item` has `n`"}));
  auto none = make_request({"1"});
  none.items = make_value(JsonArray{});
  EXPECT_TRUE(evaluate_all(*evaluator_, std::move(none)).empty());
}

TEST_F(Evaluation, NamesThePlaceOfASyntaxError) {
  const auto problems = evaluator_->check_syntax(
      {"a.b ? c : d", "1 +\n  é * * 2", "(1", "a b", "await a", "yield", "a; b", "x =>"});
  const std::vector<std::pair<std::size_t, std::size_t>> expected = {{2, 7}, {1, 3}, {1, 3}, {1, 7},
                                                                     {1, 1}, {1, 2}, {1, 5}};
  EXPECT_FALSE(problems[0]);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(problems[i + 1]) << i;
    EXPECT_EQ(std::pair(problems[i + 1]->line, problems[i + 1]->column), expected[i])
        << i << problems[i + 1]->message;
  }
  EXPECT_EQ(problems[4]->message, "not allowed in expressions: await");
}

TEST_F(Evaluation, FindsAsynchronousCodeWithoutRunningIt) {
  const auto problems = evaluator_->check_syntax(
      {"1 +\n import('x')", "[1].map(async x => x)", "({async m() {}})", "'async import(x)'",
       "input.async + input.import", "({async: 1, import: 2})", "[...(function* () { yield 1 })()]"});
  EXPECT_EQ(std::pair(problems[0]->line, problems[0]->column), std::pair(std::size_t{2}, std::size_t{2}));
  for (std::size_t i = 0; i < problems.size(); ++i) {
    EXPECT_EQ(problems[i].has_value(), i < 3) << i;
    if (problems[i]) {
      EXPECT_EQ(problems[i]->message, "not allowed in expressions: asynchronous code");
    }
  }
}

TEST_F(Evaluation, ForbidsCodeGenerationAndAsynchronousCode) {
  expect_code(
      {"eval('1')", "Function('return 1')()", "new Function('return 1')",
       "input.constructor.constructor('return 1')()", "(() => {}).\\u0063onstructor('return 1')()",
       "(async () => 1)()", "import('fs')", "await 1", "yield 1", "(async () => {}).constructor('return 1')",
       "(function* () {}).constructor('yield 1')", "(() => { try { eval('1') } catch {} return 1 })()",
       "[].constructor.constructor`return 1`", "Promise.resolve(1)", "[1].map(eval.bind(null, '1'))",
       "(() => { with (input) { return score } })()", "(0, eval)('1')",
       "Reflect.construct(Function, ['return 1'])"},
      "expr.forbidden");
}

TEST_F(Evaluation, LacksWhatReachesOutside) {
  for (const char* name : {"SharedArrayBuffer", "Atomics", "WebAssembly", "WeakRef", "FinalizationRegistry",
                           "Worker", "setTimeout", "process", "require", "fetch", "print", "load", "read",
                           "console", "performance", "Debugger"}) {
    EXPECT_EQ(evaluate_one(*evaluator_, std::string("typeof ") + name), "\"undefined\"") << name;
  }
}

TEST_F(Evaluation, RefusesAScopeThatIsTooLargeAtOnce) {
  const auto scope = std::vector<ports::ScopeEntry>{{"input", make_value(Json(std::string(17u << 20, 'x')))}};
  EXPECT_EQ(evaluate_one(*evaluator_, "1", scope),
            "expr.too_large: the data that the expression can read is larger than 16 MB");
}

}  // namespace
}  // namespace fp::sandbox

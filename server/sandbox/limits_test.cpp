#include "sandbox/evaluator_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace fp::sandbox {
namespace {

std::string code_of(const std::string& text) {
  return text.substr(0, text.find(':'));
}

class Limits : public testing::Test {
 protected:
  std::string evaluate_within(Milliseconds time, std::string expression) {
    auto request = make_request({std::move(expression)});
    request.limits.time = time;
    return evaluate_all(evaluator_, std::move(request)).front();
  }
  SandboxedEvaluator evaluator_;
};

TEST_F(Limits, EndlessWorkIsStopped) {
  for (const char* expression :
       {"(() => { while (1); })()", "/(a+)+$/.test('a'.repeat(40) + 'b')",
        "(() => { for (;;) try { for (;;); } finally { continue } })()", "({toJSON() { for (;;); }})",
        "[...(function* () { for (;;) yield })()].length",
        "(() => { throw {get message() { for (;;); }} })()", "new Proxy({}, {ownKeys() { for (;;); }})"}) {
    const auto text = evaluate_within(Milliseconds(100), expression);
    if (std::string_view(expression).find("throw") != std::string_view::npos) {
      EXPECT_EQ(code_of(text), "expr.failed") << "reading the exception must run no code";
    } else if (std::string_view(expression).find("[...") != std::string_view::npos) {
      EXPECT_TRUE(code_of(text) == "expr.timeout" || code_of(text) == "expr.memory") << text;
    } else {
      EXPECT_EQ(text, "expr.timeout: the expression ran longer than 100 ms and was stopped") << expression;
    }
    EXPECT_EQ(evaluate_one(evaluator_, "1"), "1");
  }
}

TEST_F(Limits, OneCallThatCanNotBeInterruptedIsKilled) {
  const auto start = std::chrono::steady_clock::now();
  const auto text = evaluate_within(Milliseconds(20),
                                    "Array.from({length: 40}, () => 'x'.repeat(1 << 19).split('')).length");
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_TRUE(code_of(text) == "expr.timeout" || code_of(text) == "expr.memory") << text;
  EXPECT_LT(took, std::chrono::milliseconds(1000));
  EXPECT_EQ(evaluate_one(evaluator_, "1"), "1");
}

TEST_F(Limits, MemoryBombsEndAlone) {
  for (const char* expression :
       {"new Array(1e9).fill(0)", "'x'.repeat(1 << 29).split('')",
        "(() => { const a = []; for (;;) a.push([a.length, {}]) })()",
        "(() => { let s = 'x'; for (;;) s = [s, s].join() })()", "new Uint8Array(2 ** 31)",
        "new ArrayBuffer(2 ** 33)",
        "(() => { const m = new Map(); for (let i = 0;; i++) m.set(i, 'v' + i) })()",
        "'x'.padEnd(2 ** 30 - 3, 'abc').replace(/x/g, 'yy').length + 'x'.padEnd(2 ** 29).toUpperCase()",
        "(() => { const r = []; for (;;) try { r.push(new Array(1e6).fill(1.5)) } catch {} })()"}) {
    const auto text = evaluate_within(Milliseconds(2000), expression);
    const auto code = code_of(text);
    EXPECT_TRUE(code == "expr.memory" || code == "expr.timeout" || code == "expr.failed")
        << expression << " gave " << text.substr(0, 200);
    EXPECT_EQ(evaluate_one(evaluator_, "1"), "1") << "after " << expression;
  }
}

TEST_F(Limits, ALowerMemoryLimitHolds) {
  auto request = make_request({"new Array(3e6).fill(0).map((_, i) => ({i})).length"});
  request.limits.memory_bytes = 8u << 20;
  request.limits.time = Milliseconds(5000);
  EXPECT_EQ(evaluate_all(evaluator_, std::move(request)).front(),
            "expr.memory: the expression used more than 8 MB of memory");
}

TEST_F(Limits, DeepRecursionIsItsOwnError) {
  EXPECT_EQ(evaluate_one(evaluator_, "(function f() { return 1 + f() })()"),
            "expr.stack: the expression calls itself too deeply");
  EXPECT_EQ(code_of(evaluate_one(
                evaluator_, "(() => { let o = {}; for (let i = 0; i < 1e5; i++) o = {o}; return o })()")),
            "expr.stack");
  EXPECT_EQ(code_of(evaluate_one(evaluator_, std::string(100'000, '(') + "1" + std::string(100'000, ')'))),
            "expr.stack");
  EXPECT_EQ(code_of(evaluate_one(evaluator_,
                                 "(() => { let o = 1; for (let i = 0; i < 100; i++) o = [o]; return o })()")),
            "expr.result");
}

TEST_F(Limits, ResultsHaveALimitEach) {
  auto request = make_request({"'x'.repeat(98)", "'x'.repeat(99)", "'é'.repeat(50)", "1"});
  request.limits.result_bytes = 100;
  const std::string refusal = "expr.too_large: the result is larger than 100 bytes";
  EXPECT_EQ(evaluate_all(evaluator_, std::move(request)),
            (std::vector<std::string>{"\"" + std::string(98, 'x') + "\"", refusal, refusal, "1"}));
}

TEST_F(Limits, GarbageOfEarlierRequestsDoesNotCountAgainstLaterOnes) {
  evaluate_one(evaluator_, "1");
  const auto process = evaluator_.status().process_ids;
  for (int i = 0; i < 25; ++i) {
    ASSERT_EQ(
        evaluate_within(Milliseconds(5000), "Array.from('x'.repeat(300000)).map((c, i) => i * 1.5).length"),
        "300000")
        << i;
  }
  EXPECT_EQ(evaluator_.status().process_ids, process);
}

TEST_F(Limits, ManyDifferentExpressionsDoNotFillTheProcess) {
  evaluate_one(evaluator_, "1");
  const auto process = evaluator_.status().process_ids;
  for (int i = 0; i < 6'000; ++i) {
    const auto number = std::to_string(i);
    ASSERT_EQ(evaluate_one(evaluator_, "[1, 2, 3].map(x => x * 0).concat([" + number +
                                           "]).filter(x => x > 0 || x === " + number + ").pop()"),
              number);
  }
  EXPECT_EQ(evaluator_.status().process_ids, process);
}

TEST_F(Limits, OneLateExpressionTakesTheWholeRequestWithIt) {
  auto request = make_request({"1", "(() => { while (1); })()", "2"});
  request.limits.time = Milliseconds(50);
  const std::string late = "expr.timeout: the expression ran longer than 50 ms and was stopped";
  EXPECT_EQ(evaluate_all(evaluator_, std::move(request)), (std::vector<std::string>{"1", late, late}));
}

}  // namespace
}  // namespace fp::sandbox

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "tasks/builtin.hpp"
#include "tasks/test_peer.hpp"

#include <gtest/gtest.h>

#include <future>

namespace fp::tasks {
namespace {

using std::chrono::seconds;

class JavascriptStepTest : public testing::Test {
 protected:
  ports::TaskHandler::Output run(const std::string& code, Json input = nullptr, Json more = JsonObject{}) {
    JsonObject config = more.as_object();
    config["code"] = code;
    config["input"] = std::move(input);
    TestAttempt attempt(*handler_, config);
    auto output = attempt.wait();
    lines_ = attempt.control().take_lines();
    return output;
  }
  std::string text(const std::string& code, Json input = nullptr) {
    const auto output = run(code, std::move(input));
    return output ? to_text(*output) : output.error().code + ": " + output.error().message;
  }
  Error failure(const std::string& code, Json more = JsonObject{}) {
    const auto output = run(code, nullptr, std::move(more));
    EXPECT_FALSE(output) << to_text(*output);
    return output ? Error() : output.error();
  }

  SystemClock clock_;
  CodeOptions options_{.slots = 1};  // one process, so that each run follows the one before in it
  std::unique_ptr<ports::TaskHandler> handler_ = make_javascript_handler(options_, clock_);
  std::vector<ports::LogLine> lines_;
};

TEST_F(JavascriptStepTest, ReturnsAValueMadeFromItsInput) {
  EXPECT_EQ(text("return input.items.map((x) => x * 2)", parse_trusted_json(R"({"items": [1, 2.5]})")),
            "[2,5]");
  EXPECT_EQ(text("const {a, ...rest} = input; return rest", parse_trusted_json(R"({"a": 1, "b": "ü€😀"})")),
            R"({"b":"ü€😀"})");
}

TEST_F(JavascriptStepTest, NothingReturnedIsNull) {
  EXPECT_EQ(text("input;"), "null");
  EXPECT_EQ(text("// nothing"), "null");
}

TEST_F(JavascriptStepTest, AwaitsPromises) {
  EXPECT_EQ(text("const all = await Promise.all([1, Promise.resolve(2)]); return all"), "[1,2]");
  EXPECT_EQ(text("return (async () => 7)()"), "7");
}

TEST_F(JavascriptStepTest, WritesTheConsoleToTheLog) {
  EXPECT_EQ(
      text("console.log('a', {b: 1}, undefined, null); console.warn('w'); console.error(new Error('e')); "
           "console.debug('d'); console.info(Symbol('s'))"),
      "null");
  ASSERT_EQ(lines_.size(), 5u);
  EXPECT_EQ(lines_[0].text, "a {\"b\":1} undefined null");
  EXPECT_EQ(lines_[0].level, "info");
  EXPECT_EQ(lines_[1].level, "warning");
  EXPECT_EQ(lines_[2].text, "Error: e");
  EXPECT_EQ(lines_[2].level, "error");
  EXPECT_EQ(lines_[3].level, "debug");
}

TEST_F(JavascriptStepTest, HasARealClockAndRandomNumbers) {
  EXPECT_EQ(text("return Date.now() > 1.7e12 && Math.random() !== Math.random()"), "true");
}

TEST_F(JavascriptStepTest, AnExceptionNamesLineColumnAndFrames) {
  const auto error =
      failure("const x = 1\nfunction inner() {\n  throw new RangeError('too far')\n}\ninner()");
  EXPECT_EQ(error.code, codes::code_exception.id);
  EXPECT_EQ(error.message, "RangeError: too far (line 3, column 9)");
  EXPECT_FALSE(error.retryable);
  EXPECT_EQ(json_int(error.details, "line"), 3);
  const auto& stack = error.details.at("stack").as_array();
  ASSERT_EQ(stack.size(), 2u);
  EXPECT_EQ(json_string(stack[0], "function"), "inner");
  EXPECT_EQ(json_int(stack[1], "line"), 5);
}

TEST_F(JavascriptStepTest, WhatIsThrownNeedNotBeAnError) {
  EXPECT_EQ(failure("throw 'text'").message, "text");
  EXPECT_EQ(failure("throw {a: 1}").message, "{\"a\":1}");
  EXPECT_EQ(failure("await Promise.reject(undefined)").message, "undefined");
  EXPECT_EQ(failure("throw {toJSON() { throw 1 }, toString() { throw 2 }}").message,
            "(a value that can not be shown)");
}

TEST_F(JavascriptStepTest, ASyntaxErrorNamesLineAndColumn) {
  const auto error = failure("const a = 1\nreturn a +* 2");
  EXPECT_EQ(error.code, codes::code_syntax.id);
  EXPECT_EQ(json_int(error.details, "line"), 2);
  EXPECT_EQ(failure("}); (function () {").code, codes::code_syntax.id);
}

TEST_F(JavascriptStepTest, ResultsThatAreNoJsonAreRefusedWithWhy) {
  const std::pair<const char*, const char*> cases[] = {{"return () => 1", "a function"},
                                                       {"return NaN", "NaN"},
                                                       {"return 10n", "BigInt"},
                                                       {"const a = {}; a.a = a; return a", "a cycle"},
                                                       {"return new Map()", "a Map"},
                                                       {"return {a: Promise.resolve(1)}", "await it"},
                                                       {"await new Promise(() => {})", "nothing settles"},
                                                       {"return [,].concat([Infinity])", "Infinity"}};
  for (const auto& [code, why] : cases) {
    const auto error = failure(code);
    EXPECT_EQ(error.code, codes::code_result.id) << code;
    EXPECT_NE(error.message.find(why), std::string::npos) << error.message;
  }
  const auto large = failure("return 'x'.repeat(17 << 20)", JsonObject{{"memory_mb", 512}});
  EXPECT_EQ(large.code, codes::code_result.id);
  EXPECT_NE(large.message.find("larger than 16 MiB"), std::string::npos) << large.message;
}

TEST_F(JavascriptStepTest, EndlessCodeIsATimeout) {
  for (const char* code :
       {"while (true) {}", "/(a+)+$/.test('a'.repeat(40) + 'b')",
        "(function again() { Promise.resolve().then(again) })(); await new Promise(() => {})"}) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(failure(code, JsonObject{{"timeout_seconds", 1}}).code, codes::task_timeout.id) << code;
    EXPECT_LT(std::chrono::steady_clock::now() - began, Milliseconds(1500)) << code;
    EXPECT_EQ(text("return 1"), "1") << "after " << code;
  }
}

TEST_F(JavascriptStepTest, TooMuchMemoryIsItsOwnError) {
  for (const char* code :
       {"const a = []; while (true) a.push(new Array(1000).fill(a))", "return new Uint8Array(3e9).length",
        "let s = 'x'; while (true) s += s + 1", "const a = []; for (;;) a.push(new ArrayBuffer(1 << 20))"}) {
    const auto error = failure(code, JsonObject{{"memory_mb", 64}});
    EXPECT_EQ(error.code, codes::task_oom_killed.id) << code << ": " << error.message;
    EXPECT_EQ(text("return 1"), "1") << "after " << code;
  }
}

TEST_F(JavascriptStepTest, RecursionIsItsOwnError) {
  EXPECT_EQ(failure("const f = () => f() + 1; f()").code, codes::code_recursion.id);
  EXPECT_EQ(text("return 1"), "1");
}

TEST_F(JavascriptStepTest, HasNoWayToMakeCodeLoadModulesOrShareMemory) {
  for (const char* code :
       {"eval('1')", "new Function('return 1')()", "[].constructor.constructor('return 1')()",
        "await import('fs')", "(async () => 0).constructor('return 1')()",
        "(function* () {}).constructor('yield 1')()"}) {
    const auto error = failure(code);
    EXPECT_TRUE(error.code == codes::code_exception.id) << code << ": " << error.code << " " << error.message;
  }
  EXPECT_EQ(
      text("return [typeof SharedArrayBuffer, typeof Atomics, typeof WebAssembly, typeof setTimeout, typeof "
           "fetch, typeof require, typeof process, typeof Worker]"),
      R"(["undefined","undefined","undefined","undefined","undefined","undefined","undefined","undefined"])");
}

TEST_F(JavascriptStepTest, NoRunFindsATraceOfAnother) {
  const char* dirty[] = {
      "globalThis.left = 1; return 1",
      "Object.prototype.left = 1; return 1",
      "Array.prototype.map = () => 'x'; String.prototype.trim = null; return 1",
      "console.log = () => 'mine'; globalThis.console = null; return 1",
      "Promise.prototype.then = () => 1; return 1",
      "JSON.stringify = () => '\"stolen\"'; JSON.parse = null; return {a: 1}",
      "RegExp.prototype.exec = null; /(left)/.test('left'); return RegExp.$1",
      "Symbol.for('left').x; globalThis.then = (f) => f(1); return 1",
      "Promise.resolve().then(() => { globalThis.left = 2; Object.prototype.left = 3 }); return 1",
      "Error.prepareStackTrace = () => 'left'; Error.prototype.toString = () => 'left'; throw new Error('x')",
      "Object.defineProperty(Object.prototype, 'toJSON', {get() { throw 1 }}); return {}",
      "return {toJSON() { Promise.resolve().then(() => { globalThis.left = 5 }); return 1 }}"};
  const char* probe =
      "const made = [typeof left, {}.left, [1].map((x) => x + 1)[0], ' a '.trim(), RegExp.$1, typeof then,"
      "Object.keys(globalThis).length, String(new Error('m')), await Promise.resolve(4), JSON.stringify({a: "
      "1})];"
      "console.log('clean'); return made";
  const auto clean = text(probe);
  EXPECT_EQ(clean, R"(["undefined",null,2,"a","","undefined",0,"Error: m",4,"{\"a\":1}"])");
  for (const char* code : dirty) {
    run(code);
    EXPECT_EQ(text(probe), clean) << "after " << code;
    ASSERT_EQ(lines_.size(), 1u) << "after " << code;
  }
}

TEST_F(JavascriptStepTest, ManyRunsInOneProcessDoNotUseItsMemoryUp) {
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(text("return input + 1", i), std::to_string(i + 1)) << i;
}

TEST_F(JavascriptStepTest, CancellationEndsTheRunAndTheNextOneWorks) {
  TestAttempt attempt(*handler_, JsonObject{{"code", "console.log('up'); while (true) {}"}});
  while (attempt.control().take_lines(false).empty()) std::this_thread::yield();
  attempt.control().cancel();
  EXPECT_EQ(code_of(attempt.wait()), codes::task_cancelled.id);
  EXPECT_EQ(text("return 1"), "1");
}

TEST_F(JavascriptStepTest, AFloodOfLinesIsCutNotKept) {
  const auto output = run("for (let i = 0; i < 50000; i++) console.log(i); return 'done'");
  EXPECT_EQ(to_text(*output), "\"done\"");
  EXPECT_EQ(lines_.size(), 10'001u);
  EXPECT_NE(lines_.back().text.find("40000 more lines were dropped"), std::string::npos)
      << lines_.back().text;
}

TEST_F(JavascriptStepTest, ItsCodeIsTakenAsItStands) {
  EXPECT_EQ(handler_->spec().literal, std::vector<std::string>{"code"});
}

}  // namespace
}  // namespace fp::tasks

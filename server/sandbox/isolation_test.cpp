#include "sandbox/evaluator_fixture.hpp"

#include <gtest/gtest.h>

namespace fp::sandbox {
namespace {

class Isolation : public testing::Test {
 protected:
  /// What `probe` gives before and after `attack`, in one process, and once more within one request.
  void expect_no_trace(const std::string& attack, const std::string& probe) {
    const auto scope = make_scope({{"input", R"({"list":[2,1],"deep":{"a":1}})"}});
    const auto before = evaluate_one(evaluator_, probe, scope);
    evaluate_one(evaluator_, attack, scope);
    EXPECT_EQ(evaluate_one(evaluator_, probe, scope), before) << "another request sees: " << attack;
    EXPECT_EQ(evaluate_all(evaluator_, make_request({attack, probe, attack, probe}, scope))[3], before)
        << "the same request sees: " << attack;
    EXPECT_EQ(before.substr(0, 5) == "expr.", false) << probe << " gave " << before;
  }
  SandboxedEvaluator evaluator_;
};

TEST_F(Isolation, NoExpressionLeavesATraceForTheNext) {
  const std::pair<const char*, const char*> rows[] = {
      {"Object.prototype.polluted = 1", "({}).polluted ?? 'clean'"},
      {"Object.defineProperty(Object.prototype, 'polluted', {value: 1})", "({}).polluted ?? 'clean'"},
      {"input.__proto__.polluted = 1", "({}).polluted ?? 'clean'"},
      {"Object.setPrototypeOf(Object.prototype, {polluted: 1})", "({}).polluted ?? 'clean'"},
      {"Reflect.set(Array.prototype, 'polluted', 1)", "[].polluted ?? 'clean'"},
      {"Array.prototype.map = () => 'owned'", "[1].map(x => x)"},
      {"Object.prototype.toString = () => 'owned'", "`${{}}`"},
      {"Object.prototype.__defineGetter__('polluted', () => 1)", "({}).polluted ?? 'clean'"},
      {"JSON.stringify = () => 'owned'", "({a: 1})"},
      {"Date.prototype.toJSON = () => 'owned'", "new Date()"},
      {"String.prototype.polluted = 1", "''.polluted ?? 'clean'"},
      {"(function* () {}).prototype.__proto__.__proto__.polluted = 1",
       "[][Symbol.iterator]().polluted ?? 'clean'"},
      {"Reflect.set(Object.getPrototypeOf(async () => 1), 'polluted', 1)",
       "Object.getPrototypeOf(async () => 1).polluted ?? 'clean'"},
      {"Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())).polluted = 1",
       "new Map().keys().polluted ?? 'clean'"},
      {"globalThis.leak = 1", "typeof leak"},
      {"(() => { leak = 1 })()", "typeof leak"},
      {"(function () { return this })()?.x", "typeof leak"},
      {"Math.random = () => 0.5", "Math.random()"},
      {"Date.now = () => 0", "Date.now()"},
      {"delete globalThis.Math", "typeof Math"},
      {"/(b)/.exec('abc')",
       "RegExp.$1 + RegExp.lastMatch + RegExp.input + RegExp['$`'] + RegExp.rightContext"},
      {"RegExp.input = 'leak'", "RegExp.input + RegExp.$_"},
      {"(re => { re.lastIndex = 3; return re.lastIndex })(/a/g)", "/a/g.lastIndex"},
      {"input.list.push(9)", "input.list"},
      {"input.list.sort()", "input.list"},
      {"input.deep.a = 2", "input.deep"},
      {"delete input.deep", "input.deep"},
      {"(input.new = 1)", "Object.keys(input)"},
      {"arguments[0].deep.a = 3", "input.deep.a"},
      {"Symbol.for('x').description + (Symbol.prototype.polluted = 1)",
       "Symbol.for('x').polluted ?? 'clean'"},
      {"(s => { s.leak = 1 })(((strings) => strings)`a`)",
       "(s => s.leak ?? 'clean')(((strings) => strings)`a`)"},
      {"Intl.NumberFormat.prototype.polluted = 1", "new Intl.NumberFormat().polluted ?? 'clean'"},
      {"Error.prototype.message = 'owned'", "new Error().message"},
      {"Object.freeze(input)", "Object.isFrozen([])"},
      {"Promise.prototype.then = () => 'owned'", "Promise.prototype.then.name"},
      {"Promise.resolve().then(() => { globalThis.leak = 1 })", "typeof leak"},
      {"Proxy.revocable = 1", "typeof Proxy.revocable"},
      {"eval.polluted = 1", "eval.polluted ?? 'clean'"},
      {"Object.getOwnPropertyDescriptor(Object.prototype, 'toString').get.polluted = 1",
       "Object.getOwnPropertyDescriptor(Object.prototype, 'toString').get.polluted ?? 'clean'"},
  };
  for (const auto& [attack, probe] : rows) expect_no_trace(attack, probe);
}

TEST_F(Isolation, ACachedFunctionStartsAnewEachTime) {
  const std::string counter =
      "(() => { const o = {n: 0}; const f = () => ++o.n; f.count = (f.count ?? 0) + 1; f(); return [o.n, "
      "f.count] })()";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(evaluate_one(evaluator_, counter), "[1,1]");
  EXPECT_EQ(evaluate_all(evaluator_, make_request({counter, counter})),
            (std::vector<std::string>{"[1,1]", "[1,1]"}));
  EXPECT_EQ(evaluate_one(evaluator_, "/a/g.test('a') && /a/g.lastIndex"), "0");
}

TEST_F(Isolation, ExpressionsMayChangeTheirOwnCopyOfTheData) {
  const auto scope = make_scope({{"input", R"({"list":[3,1,2]})"}});
  const std::vector<std::string> expected = {"[1,2,3]", "[3,1,2]", "[1,2,3]", "4"};
  const auto request =
      make_request({"input.list.sort()", "input.list", "input.list.sort()", "input.list.push(0)"}, scope);
  EXPECT_EQ(evaluate_all(evaluator_, request), expected);
  EXPECT_EQ(evaluate_all(evaluator_, request), expected);
}

TEST_F(Isolation, FrozenPrototypesStillLetObjectsHaveTheirOwn) {
  EXPECT_EQ(
      evaluate_one(evaluator_,
                   "(() => { const o = {}; o.toString = 1; o.constructor = 2; o.valueOf = 3; return o })()"),
      R"({"toString":1,"constructor":2,"valueOf":3})");
  EXPECT_EQ(evaluate_one(evaluator_, "['constructor', 'x'].reduce((o, k) => { o[k] = 1; return o }, {})"),
            R"({"constructor":1,"x":1})");
  EXPECT_EQ(
      evaluate_one(evaluator_,
                   "(() => { const e = new Error('a'); e.message = 'b'; e.name = 'N'; return `${e}` })()"),
      "\"N: b\"");
  EXPECT_EQ(
      evaluate_one(evaluator_,
                   "new (class A { constructor() { this.x = 1 } toString() { return 'a' } })().toString()"),
      "\"a\"");
  EXPECT_EQ(evaluate_one(evaluator_, "`${{}} ${[1, 2]}` + ({}).hasOwnProperty('x')"),
            "\"[object Object] 1,2false\"");
}

TEST_F(Isolation, EverythingThatCanBeReachedIsFrozen) {
  const char* walk = R"((() => {
    const seen = new Set(), open = [], path = new Map();
    const add = (v, where) => {
      if (v === null || (typeof v !== 'object' && typeof v !== 'function') || seen.has(v)) return;
      seen.add(v); path.set(v, where); open.push(v);
    };
    add(globalThis, 'global');
    const samples = [function () {}, () => 0, function* () {}, async function () {}, async () => 0, async function* () {}, class {},
      (function* () {})(), (async function* () {})(), [], [][Symbol.iterator](), 'x'.matchAll(/x/g), 'x'[Symbol.iterator](), /x/,
      new Map().entries(), new Set().values(), new WeakMap(), new Int8Array(1), new ArrayBuffer(1), new DataView(new ArrayBuffer(1)),
      new Date(), new Error(), new AggregateError([]), (function () { return arguments })(), new Proxy({}, {}), Promise.resolve(),
      Object('x'), Object(1), Object(true), Object(1n), Object(Symbol.iterator), new Intl.NumberFormat(), new Intl.DateTimeFormat(),
      new Intl.Collator(), new Intl.PluralRules()];
    samples.forEach((s, i) => add(Object.getPrototypeOf(s), 'sample' + i));
    for (let v; (v = open.pop());) {
      add(Object.getPrototypeOf(v), path.get(v) + '.__proto__');
      for (const key of Reflect.ownKeys(v)) {
        const d = Object.getOwnPropertyDescriptor(v, key);
        for (const part of ['value', 'get', 'set']) add(d[part], path.get(v) + '.' + String(key));
      }
    }
    return [...seen].filter(v => !Object.isFrozen(v)).map(v => path.get(v)).concat(seen.size > 600 ? [] : ['too few: ' + seen.size]);
  })())";
  EXPECT_EQ(evaluate_one(evaluator_, walk), "[\"sample7\",\"sample8\"]")
      << "besides the prototypes that the two generators own";
}

}  // namespace
}  // namespace fp::sandbox

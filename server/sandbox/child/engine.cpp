#include "sandbox/child/engine.hpp"

#include "sandbox/child/failure.hpp"
#include "sandbox/child/helper_thread.hpp"
#include "sandbox/child/memory_limit.hpp"
#include "sandbox/child/realm.hpp"
#include "sandbox/child/watch.hpp"

#include <js/CallAndConstruct.h>
#include <js/ContextOptions.h>
#include <js/GCAPI.h>
#include <js/Initialization.h>
#include <js/JSON.h>
#include <js/PropertyAndElement.h>
#include <js/RegExp.h>
#include <js/Stack.h>
#include <malloc.h>

namespace fp::sandbox {

namespace {

constexpr std::size_t kStackBytes = 512u << 10;
constexpr std::size_t kGarbageBytes = 24u << 20;
constexpr std::size_t kCachedBytes = 32u << 20;
constexpr unsigned kRequestsBetweenLooks = 16;

bool parse_json(JSContext* cx, std::string_view text, JS::MutableHandleValue value) {
  JS::RootedString string(cx, JS_NewStringCopyUTF8N(cx, JS::UTF8Chars(text.data(), text.size())));
  return string && JS_ParseJSON(cx, string, value);
}

void configure(JSContext* cx) {
  JS::ContextOptionsRef(cx)
      .setAsmJS(false)
      .setWasm(false)
      .setWasmBaseline(false)
      .setWasmIon(false)
      .setAsyncStack(false);
  JS_SetNativeStackQuota(cx, kStackBytes);
  JS_SetGCParameter(cx, JSGC_MAX_BYTES, kDefaultMemoryBytes);
  JS_SetGCParameter(cx, JSGC_MIN_LAST_DITCH_GC_PERIOD, 0);
  JS_SetGCParameter(cx, JSGC_MALLOC_THRESHOLD_BASE, 16u << 20);
  JS_SetGCParameter(cx, JSGC_MAX_NURSERY_BYTES, 2u << 20);
  JS_SetGCParameter(cx, JSGC_INCREMENTAL_GC_ENABLED, 0);
}

}  // namespace

struct Engine::Work {
  Work(JSContext* cx, const wire::Evaluate& evaluate) : request(evaluate), shared_scope(cx) {
    for (const auto root : request.roots) names.emplace_back(root);
    if (request.has_items) names.insert(names.end(), {"item", "index"});
    evaluations = request.expressions.size() * (request.has_items ? request.items.size() : 1);
  }
  const wire::Evaluate& request;
  std::vector<std::string> names;
  std::size_t evaluations;
  JS::RootedValue shared_scope;  // deeply frozen once made
};

std::unique_ptr<Engine> Engine::start() {
  JS::DisableJitBackend();
  if (!JS_Init()) return nullptr;
  start_helper_thread();
  JSContext* cx = JS_NewContext(kDefaultMemoryBytes);
  if (!cx) return nullptr;
  configure(cx);
  if (!JS::InitSelfHostedCode(cx)) return nullptr;
  Watch::install(cx);
  JS::RootedObject global(cx, make_frozen_realm(cx));
  if (!global) return nullptr;
  return std::unique_ptr<Engine>(new Engine(cx, global));
}

Engine::Engine(JSContext* cx, JSObject* global)
    : cx_(cx),
      global_(cx, global),
      realm_(cx, global),
      functions_(cx),
      results_(cx),
      tree_(cx),
      empty_pattern_(cx, JS::NewUCRegExpObject(cx, u"(?:)", 4, JS::RegExpFlag::NoFlags)) {
  JS::SetJobQueue(cx, &jobs_);
  collect();
  idle_ = live_;
}

wire::Answer Engine::evaluate(const wire::Evaluate& request) {
  wire::Answer answer;
  Work work(cx_, request);
  set_recorded_time(request.now_ms);
  set_limits(request.memory_bytes);
  Watch::begin(request.time_ms);
  std::size_t bytes = 0;
  answer.outcomes.reserve(work.evaluations);
  while (answer.outcomes.size() < work.evaluations) {
    const std::size_t n = answer.outcomes.size();
    const std::size_t per_expression = work.evaluations / request.expressions.size();
    auto outcome = evaluate_one(work, request.expressions[n / per_expression], n % per_expression);
    bytes += outcome.text.size() + wire::kHeaderBytes + sizeof outcome;
    if (bytes > wire::kMaxAnswerBytes / 2) outcome = {.verdict = wire::Verdict::kTooLarge};
    answer.outcomes.push_back(std::move(outcome));
    const auto verdict = answer.outcomes.back().verdict;
    if (Watch::is_timed_out() || verdict == wire::Verdict::kMemory)
      answer.outcomes.resize(work.evaluations, {.verdict = verdict});
  }
  Watch::end();
  answer.retiring = Watch::is_out_of_memory();
  return answer;
}

wire::Outcome Engine::evaluate_one(Work& work, std::string_view expression, std::size_t index) {
  wire::Outcome failure;
  FunctionCache::Entry* entry = functions_.find_or_compile(expression, work.names, failure);
  if (!entry) return failure;
  const bool shares_scope = work.evaluations > 1 && !entry->needs_own_scope;
  auto outcome = call(work, *entry, index, shares_scope);
  const bool may_have_changed_scope = shares_scope && outcome.verdict == wire::Verdict::kFailed;
  if (!may_have_changed_scope) return outcome;
  // Strict code that changes frozen data throws; with a copy of its own it may do as it likes.
  outcome = call(work, *entry, index, false);
  entry->needs_own_scope = outcome.verdict == wire::Verdict::kValue;
  return outcome;
}

wire::Outcome Engine::call(Work& work, FunctionCache::Entry& entry, std::size_t index, bool shares_scope) {
  Watch::begin_evaluation();
  restart_random(work.request.seed);
  if (!forget_last_match()) return take_failure(cx_);
  JS::RootedValueVector arguments(cx_);
  JS::RootedValue result(cx_);
  JS::RootedValue function(cx_, JS::ObjectValue(*entry.function));
  if (!add_scope(work, shares_scope, &arguments) || !add_item(work, index, &arguments) ||
      !JS::Call(cx_, JS::UndefinedHandleValue, function, arguments, &result)) {
    return take_failure(cx_);
  }
  auto outcome = results_.take(result, work.request.result_bytes);
  if (Watch::is_forbidden() && outcome.verdict != wire::Verdict::kForbidden) return take_failure(cx_);
  return outcome;
}

// RegExp.$1 and its like remember the last match. They can not be deleted, and the engine's own way to clear
// them leaves them unreadable, so a match of nothing in nothing takes the place of the last one.
bool Engine::forget_last_match() {
  std::size_t index = 0;
  JS::RootedValue match(cx_);
  return JS::ExecuteRegExp(cx_, global_, empty_pattern_, u"", 0, &index, true, &match);
}

bool Engine::add_scope(Work& work, bool shares_scope, JS::MutableHandleValueVector arguments) {
  JS::RootedValue scope(cx_, work.shared_scope);
  if (!shares_scope || !scope.isObject()) {
    if (!parse_json(cx_, work.request.scope, &scope) || !scope.isObject()) return false;
  }
  JS::RootedObject object(cx_, &scope.toObject());
  if (shares_scope && !work.shared_scope.isObject()) {
    if (!JS_DeepFreezeObject(cx_, object)) return false;
    work.shared_scope = scope;
  }
  JS::RootedValue value(cx_);
  for (std::size_t i = 0; i < work.request.roots.size(); ++i) {
    if (!JS_GetProperty(cx_, object, work.names[i].c_str(), &value) || !arguments.append(value)) return false;
  }
  return true;
}

bool Engine::add_item(Work& work, std::size_t index, JS::MutableHandleValueVector arguments) {
  if (!work.request.has_items) return true;
  JS::RootedValue item(cx_);
  return parse_json(cx_, work.request.items[index], &item) && arguments.append(item) &&
         arguments.append(JS::NumberValue(static_cast<double>(index)));
}

wire::Answer Engine::check(const wire::Check& request) {
  wire::Answer answer;
  for (const auto expression : request.expressions) {
    wire::Outcome outcome;
    if (compile_expression(cx_, expression, {}, outcome)) {
      if (auto asynchronous = tree_.find_asynchronous(expression)) outcome = std::move(*asynchronous);
    }
    answer.outcomes.push_back(std::move(outcome));
  }
  answer.retiring = Watch::is_out_of_memory();
  return answer;
}

void Engine::set_limits(std::uint64_t memory_bytes) {
  if (memory_bytes == memory_bytes_) return;
  memory_bytes_ = memory_bytes;
  const std::uint64_t most = live_.collected + memory_bytes;
  JS_SetGCParameter(cx_, JSGC_MAX_BYTES,
                    static_cast<std::uint32_t>(std::min<std::uint64_t>(most, UINT32_MAX)));
  limit_memory(memory_bytes + live_.total() - std::min(live_.total(), idle_.total()));
}

Engine::Heap Engine::look() const {
  const auto heap = mallinfo2();
  return {JS_GetGCParameter(cx_, JSGC_BYTES), heap.uordblks + heap.hblkhd};
}

void Engine::tidy() {
  const bool may_ask_allocator = ++requests_since_look_ >= kRequestsBetweenLooks;
  const Heap now = may_ask_allocator ? look() : Heap{JS_GetGCParameter(cx_, JSGC_BYTES), live_.allocated};
  if (may_ask_allocator) requests_since_look_ = 0;
  if (now.total() < live_.total() + kGarbageBytes) return;
  collect();
  if (live_.total() < idle_.total() + kCachedBytes) return;
  functions_.clear();
  collect();
}

void Engine::collect() {
  JS_GC(cx_);
  live_ = look();
  memory_bytes_ = 0;  // what lives on moves the limits
}

}  // namespace fp::sandbox

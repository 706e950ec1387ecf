#include "sandbox/child/code_engine.hpp"

#include "sandbox/child/code_failure.hpp"
#include "sandbox/child/helper_thread.hpp"
#include "sandbox/child/json_result.hpp"
#include "sandbox/child/memory_limit.hpp"
#include "sandbox/child/watch.hpp"

#include <js/CallAndConstruct.h>
#include <js/CompilationAndEvaluation.h>
#include <js/ContextOptions.h>
#include <js/GCAPI.h>
#include <js/GlobalObject.h>
#include <js/Initialization.h>
#include <js/JSON.h>
#include <js/LocaleSensitive.h>
#include <js/Promise.h>
#include <js/PropertyAndElement.h>
#include <js/Realm.h>
#include <js/RealmOptions.h>
#include <js/SourceText.h>
#include <jsfriendapi.h>
#include <malloc.h>
#include <string>

namespace fp::sandbox {

namespace {

using wire::Ran;
using wire::Verdict;

constexpr std::size_t kStackBytes = 768u << 10;
constexpr std::size_t kGarbageBytes = 24u << 20;

/// The console of the run under way; the engine's callback has no other way to it.
const CodeEngine::OnLine* g_on_line = nullptr;

template <int Level>
bool write_to_console(JSContext* cx, unsigned argc, JS::Value* vp) {
  constexpr const char* kLevels[] = {"debug", "info", "warning", "error"};
  const JS::CallArgs args = JS::CallArgsFromVp(argc, vp);
  std::string text;
  for (unsigned i = 0; i < args.length(); ++i) {
    if (i > 0) text.push_back(' ');
    text += to_console_text(cx, args[i]);
  }
  args.rval().setUndefined();
  if (Watch::is_timed_out()) return false;
  return (*g_on_line)({kLevels[Level], text});
}

constexpr JSFunctionSpec kConsole[] = {
    JS_FN("debug", write_to_console<0>, 0, 0), JS_FN("log", write_to_console<1>, 0, 0),
    JS_FN("info", write_to_console<1>, 0, 0),  JS_FN("warn", write_to_console<2>, 0, 0),
    JS_FN("error", write_to_console<3>, 0, 0), JS_FS_END};

JSObject* make_realm(JSContext* cx) {
  static const JSClass global_class{
      "global", JSCLASS_GLOBAL_FLAGS, &JS::DefaultGlobalClassOps, nullptr, nullptr, nullptr};
  JS::RealmOptions options;
  options.creationOptions()
      .setSharedMemoryAndAtomicsEnabled(false)
      .setDefineSharedArrayBufferConstructor(false)
      .setWeakRefsEnabled(JS::WeakRefSpecifier::Disabled)
      .setStreamsEnabled(false)
      .setToSourceEnabled(false)
      .setPropertyErrorMessageFixEnabled(true)
      .setNewCompartmentAndZone();
  JS::RootedObject global(cx,
                          JS_NewGlobalObject(cx, &global_class, nullptr, JS::FireOnNewGlobalHook, options));
  if (!global) return nullptr;
  const JSAutoRealm realm(cx, global);
  if (!JS::InitRealmStandardClasses(cx)) return nullptr;
  for (const char* name : {"SharedArrayBuffer", "Atomics", "WebAssembly"}) {
    if (!JS_DeleteProperty(cx, global, name)) return nullptr;
  }
  JS::RootedObject console(cx, JS_DefineObject(cx, global, "console", nullptr, 0));
  return console && JS_DefineFunctions(cx, console, kConsole) ? global : nullptr;
}

/// The code as the body of an asynchronous function whose first line is line 1.
bool compile(JSContext* cx, std::string_view code, JS::MutableHandleValue function) {
  std::string text = "(async function (input) { \"use strict\";\n";
  text.append(code).append("\n})");
  JS::CompileOptions options(cx);
  options.setFileAndLine(kCodeName, 0);
  JS::SourceText<mozilla::Utf8Unit> source;
  return source.init(cx, text.data(), text.size(), JS::SourceOwnership::Borrowed) &&
         JS::Evaluate(cx, options, source, function);
}

bool parse_input(JSContext* cx, std::string_view text, JS::MutableHandleValue value) {
  JS::RootedString string(cx, JS_NewStringCopyUTF8N(cx, JS::UTF8Chars(text.data(), text.size())));
  return string && JS_ParseJSON(cx, string, value);
}

Ran to_result(JSContext* cx, JS::HandleValue value, std::size_t most) {
  Ran ran;
  Watch::begin_evaluation();
  ran.outcome = JsonResult(cx).take(value, most);
  if (ran.outcome.verdict == Verdict::kForbidden) {
    ran.outcome.verdict = Verdict::kNotJson;
    ran.outcome.text = "the result holds a promise, which is not JSON: await it";
  }
  if (ran.outcome.verdict == Verdict::kNoValue) ran.outcome = {.text = "null"};
  return ran;
}

}  // namespace

std::unique_ptr<CodeEngine> CodeEngine::start() {
  JS::DisableJitBackend();
  if (!JS_Init()) return nullptr;
  start_helper_thread();
  JSContext* cx = JS_NewContext(kDefaultMemoryBytes);
  if (!cx) return nullptr;
  JS::ContextOptionsRef(cx).setAsmJS(false).setWasm(false).setWasmBaseline(false).setWasmIon(false);
  JS_SetNativeStackQuota(cx, kStackBytes);
  JS_SetGCParameter(cx, JSGC_MIN_LAST_DITCH_GC_PERIOD, 0);
  JS_SetGCParameter(cx, JSGC_MALLOC_THRESHOLD_BASE, 16u << 20);
  JS_SetGCParameter(cx, JSGC_MAX_NURSERY_BYTES, 2u << 20);
  JS_SetGCParameter(cx, JSGC_INCREMENTAL_GC_ENABLED, 0);
  if (!js::UseInternalJobQueues(cx) || !JS::InitSelfHostedCode(cx)) return nullptr;
  Watch::install(cx);
  if (!JS_SetDefaultLocale(JS_GetRuntime(cx), "en-US")) return nullptr;
  auto engine = std::unique_ptr<CodeEngine>(new CodeEngine(cx));
  JS::RootedObject warm_up(cx, make_realm(cx));
  if (!warm_up) return nullptr;
  return engine;
}

CodeEngine::CodeEngine(JSContext* cx) : cx_(cx) {
  idle_ = used();
}

Ran CodeEngine::run(const wire::Run& run, OnLine on_line) {
  g_on_line = &on_line;
  set_limits(run.memory_bytes);
  Watch::begin(run.time_ms);
  Ran ran = run_in_realm(run);
  Watch::end();
  g_on_line = nullptr;
  ran.retiring = ran.retiring || Watch::is_out_of_memory() || Watch::is_timed_out();
  return ran;
}

Ran CodeEngine::run_in_realm(const wire::Run& run) {
  JS::RootedObject global(cx_, make_realm(cx_));
  if (!global) return take_code_failure(cx_);
  const JSAutoRealm realm(cx_, global);
  JS::RootedValue function(cx_);
  if (!compile(cx_, run.code, &function)) return take_code_syntax_failure(cx_);
  JS::RootedValueArray<1> arguments(cx_);
  JS::RootedValue result(cx_);
  if (!parse_input(cx_, run.input, arguments[0]) ||
      !JS::Call(cx_, JS::UndefinedHandleValue, function, arguments, &result)) {
    return take_code_failure(cx_);
  }
  js::RunJobs(cx_);
  if (Watch::is_timed_out() || JS_IsExceptionPending(cx_)) return take_code_failure(cx_);
  JS::RootedObject promise(cx_, result.isObject() ? &result.toObject() : nullptr);
  if (!promise || !JS::IsPromiseObject(promise))
    return {.outcome = {.verdict = Verdict::kSyntax, .line = 1, .column = 1, .text = "a } too many"}};
  switch (JS::GetPromiseState(promise)) {
    case JS::PromiseState::Pending:
      return {.retiring = true,
              .outcome = {.verdict = Verdict::kNotJson,
                          .text = "the code waits for a promise that nothing settles"}};
    case JS::PromiseState::Rejected:
      return explain_rejection(cx_, promise);
    case JS::PromiseState::Fulfilled:
      break;
  }
  result = JS::GetPromiseResult(promise);
  Ran ran = to_result(cx_, result, run.result_bytes);
  js::RunJobs(cx_);  // what a toJSON left: nothing of this run may happen in the next
  return ran;
}

void CodeEngine::set_limits(std::uint64_t memory_bytes) {
  const std::uint64_t now = used();
  const std::uint64_t most = JS_GetGCParameter(cx_, JSGC_BYTES) + memory_bytes;
  JS_SetGCParameter(cx_, JSGC_MAX_BYTES,
                    static_cast<std::uint32_t>(std::min<std::uint64_t>(most, UINT32_MAX)));
  limit_memory(memory_bytes + now - std::min<std::uint64_t>(now, idle_));
}

std::size_t CodeEngine::used() const {
  const auto heap = mallinfo2();
  return JS_GetGCParameter(cx_, JSGC_BYTES) + heap.uordblks + heap.hblkhd;
}

void CodeEngine::tidy() {
  if (used() > idle_ + kGarbageBytes) JS_GC(cx_);
}

}  // namespace fp::sandbox

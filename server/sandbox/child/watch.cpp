#include "sandbox/child/watch.hpp"

#include "sandbox/child/exit_code.hpp"

#include <atomic>
#include <csignal>
#include <ctime>
#include <js/Interrupt.h>
#include <js/MemoryCallbacks.h>
#include <js/Modules.h>
#include <js/Principals.h>
#include <js/Utility.h>
#include <sys/time.h>
#include <unistd.h>

namespace fp::sandbox {

namespace {

JSContext* g_context = nullptr;
std::atomic<std::int64_t> g_deadline_ns{0};  // 0: nothing runs
bool g_timed_out = false;
bool g_forbidden = false;
bool g_out_of_memory = false;

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

bool is_past_deadline() {
  const auto deadline = g_deadline_ns.load(std::memory_order_relaxed);
  return deadline != 0 && now_ns() >= deadline;
}

// The urgent request takes two locks of the engine (waiting threads, WebAssembly instances), which only
// features that are absent here ever hold on this thread; the non-urgent one would not stop a regular
// expression.
void on_alarm(int) {
  if (is_past_deadline()) JS_RequestInterruptCallback(g_context);
}

bool on_interrupt(JSContext*) {
  if (is_past_deadline()) g_timed_out = true;
  return !g_timed_out;
}

void on_out_of_memory(JSContext*, void*) {
  g_out_of_memory = true;
}

void on_fatal_out_of_memory(size_t) {
  _exit(kExitMemory);
}

bool refuse_code_generation(JSContext*, JS::RuntimeCode, JS::HandleString) {
  g_forbidden = true;
  return false;
}

bool refuse_import(JSContext*, JS::Handle<JS::Value>, JS::Handle<JSObject*>, JS::Handle<JSObject*>) {
  g_forbidden = true;
  return false;
}

}  // namespace

void Watch::install(JSContext* cx) {
  static const JSSecurityCallbacks callbacks{refuse_code_generation, nullptr};
  g_context = cx;
  JS_AddInterruptCallback(cx, on_interrupt);
  JS::SetOutOfMemoryCallback(cx, on_out_of_memory, nullptr);
  js::AutoEnterOOMUnsafeRegion::setAnnotateOOMAllocationSizeCallback(on_fatal_out_of_memory);
  JS_SetSecurityCallbacks(cx, &callbacks);
  JS::SetModuleDynamicImportHook(JS_GetRuntime(cx), refuse_import);
  struct sigaction action{};
  action.sa_handler = on_alarm;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
}

void Watch::begin(std::uint32_t milliseconds) {
  g_timed_out = false;
  g_deadline_ns = now_ns() + static_cast<std::int64_t>(milliseconds) * 1'000'000;
  itimerval timer{};
  timer.it_value.tv_sec = milliseconds / 1000;
  timer.it_value.tv_usec = static_cast<suseconds_t>(milliseconds % 1000 * 1000 + 100);
  timer.it_interval.tv_usec = 10'000;  // until begin or end, should one interrupt get lost
  setitimer(ITIMER_REAL, &timer, nullptr);
}

// The timer keeps running until the next request sets it anew: a signal that finds nothing to stop costs less
// than a system call a request.
void Watch::end() {
  const bool may_repeat = is_past_deadline();
  g_deadline_ns = 0;
  if (may_repeat) {
    const itimerval off{};
    setitimer(ITIMER_REAL, &off, nullptr);
  }
}

bool Watch::is_timed_out() {
  return g_timed_out;
}
bool Watch::is_forbidden() {
  return g_forbidden;
}
void Watch::set_forbidden() {
  g_forbidden = true;
}
bool Watch::is_out_of_memory() {
  return g_out_of_memory;
}
void Watch::begin_evaluation() {
  g_forbidden = false;
}

}  // namespace fp::sandbox

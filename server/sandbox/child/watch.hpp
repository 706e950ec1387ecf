#pragma once

#include <cstdint>
#include <jsapi.h>

namespace fp::sandbox {

/// Why an evaluation was, or must be, stopped. One for the process, because the engine's callbacks and the
/// timer's signal find it without a pointer. Lives on the main thread.
class Watch {
 public:
  /// Hooks into the engine: interrupts, out of memory, code generation, dynamic import.
  static void install(JSContext* cx);

  /// Starts a request with `milliseconds` of wall time.
  static void begin(std::uint32_t milliseconds);
  static void end();

  static bool is_timed_out();
  /// The expression asked for eval, Function, import() or the like; sticky for one evaluation.
  static bool is_forbidden();
  static void set_forbidden();
  /// The engine ran out of memory at least once: its state is whole, but the process should be replaced.
  static bool is_out_of_memory();
  static void begin_evaluation();
};

}  // namespace fp::sandbox

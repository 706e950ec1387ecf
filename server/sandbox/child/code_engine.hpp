#pragma once

#include "sandbox/wire.hpp"

#include <cstddef>
#include <functional>
#include <jsapi.h>
#include <memory>

namespace fp::sandbox {

/// SpiderMonkey, set up for the code of steps: promises and a console, the real clock, no JIT. One a process,
/// on the main thread. Every run gets a realm of its own and the process ends after any run that was stopped,
/// so no run finds a trace of another.
class CodeEngine {
 public:
  /// False when nobody reads any more.
  using OnLine = std::function<bool(const wire::Line&)>;

  /// Null when the engine does not start. Starts the engine's one helper thread.
  static std::unique_ptr<CodeEngine> start();

  wire::Ran run(const wire::Run& run, OnLine on_line);
  /// Between runs: keeps the garbage of earlier ones from counting against later ones.
  void tidy();

 private:
  explicit CodeEngine(JSContext* cx);
  wire::Ran run_in_realm(const wire::Run& run);
  void set_limits(std::uint64_t memory_bytes);
  std::size_t used() const;

  JSContext* cx_;
  std::size_t idle_ = 0;  // bytes in use with nothing to do
};

}  // namespace fp::sandbox

#pragma once

#include "ports/store.hpp"
#include "runtime/thread_loop.hpp"

#include <cstddef>

namespace fp::app {

/// Deletes what is older than its retention, a small transaction at a time with pauses between, on a thread
/// of its own: now and every ten minutes. Ends with its life, after the chunk under way.
class Upkeep {
 public:
  /// `retention_days` 0 keeps everything but what has a retention of its own.
  Upkeep(ports::Store& store, const Clock& clock, std::size_t retention_days);
  ~Upkeep();

 private:
  void sweep();

  ports::Store& store_;
  const Clock& clock_;
  const std::size_t retention_days_;
  runtime::ThreadLoop loop_;
};

}  // namespace fp::app

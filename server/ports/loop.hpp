#pragma once

#include "base/time.hpp"
#include "base/unique_function.hpp"

namespace fp::ports {

/// A strand: runs what is posted to it one after another, in order. Post from any thread.
class Loop {
 public:
  using Job = UniqueFunction<void()>;
  virtual ~Loop() = default;
  virtual void post(Job job) = 0;
  /// Runs `job` at or after `when`, wall-clock time; a clock that jumps moves it.
  virtual void post_at(TimePoint when, Job job) = 0;
  /// Runs `job` once that much time has passed, whatever the wall clock does meanwhile: for leases.
  virtual void post_after(Milliseconds delay, Job job) = 0;
};

}  // namespace fp::ports

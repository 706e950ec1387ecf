#pragma once

#include "net/message.hpp"
#include "ports/loop.hpp"
#include "runtime/observer.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace fp::api {

/// Requests that wait for an execution to end or to answer with a `respond` step. Registered before the
/// execution starts, so that none is missed; told only of what is on disk. Thread-safe. Bounded.
class EndWaits final : public runtime::Observer {
 public:
  /// The state when it ended or responded; null when the time was over first.
  using Done = UniqueFunction<void(const engine::ExecutionState* state, const Json* response)>;

  explicit EndWaits(ports::Loop& timers) : timers_(timers) {}
  /// False when too many wait already; `done` is then untouched.
  bool add(const ExecutionId& id, Milliseconds most, Done& done);
  /// Forgets the wait for an execution that did not start.
  void drop(const ExecutionId& id);
  /// Answers all that wait as if their time were over: the server stops.
  void release();
  std::size_t count() const { return count_.load(std::memory_order_relaxed); }

  void on_recorded(const runtime::Recorded& recorded) override;

  static constexpr std::size_t kMostWaits = 10'000;

 private:
  Done take(const ExecutionId& id);

  ports::Loop& timers_;
  std::atomic<std::size_t> count_{0};
  std::mutex mutex_;
  std::unordered_map<ExecutionId, Done> waits_;  // guarded by mutex_; ids are new, so one wait each
};

}  // namespace fp::api

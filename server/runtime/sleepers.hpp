#pragma once

#include "ports/loop.hpp"
#include "ports/store.hpp"

#include <functional>
#include <optional>
#include <set>

namespace fp::runtime {

/// Wakes executions that sleep on disk. Their due times are rows; only those of the next minute are in
/// memory, at most 10,000 at a time. Lives on one loop.
class Sleepers {
 public:
  Sleepers(ports::Store& store, ports::Loop& loop, const Clock& clock,
           std::function<void(const ExecutionId&)> wake, std::function<void(const Error&)> on_failure);

  /// Reads what is due soon and goes on doing so. Call once, on the loop.
  void start();
  /// An execution went to sleep.
  void note(const ExecutionId& id, TimePoint due);

 private:
  bool load();
  void ring();
  void set_alarm();

  static constexpr std::size_t kMostNear = 10'000;
  static constexpr Milliseconds kHorizon{60'000};
  static constexpr Milliseconds kPause{100};
  ports::Store& store_;
  ports::Loop& loop_;
  const Clock& clock_;
  std::function<void(const ExecutionId&)> wake_;
  std::function<void(const Error&)> on_failure_;
  std::set<std::pair<TimePoint, ExecutionId>> near_;
  TimePoint loaded_until_{};  // every row due before this is in near_
  std::optional<TimePoint> alarm_;
};

}  // namespace fp::runtime

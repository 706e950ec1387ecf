#pragma once

#include "engine/engine.hpp"
#include "ports/store.hpp"

#include <span>
#include <vector>

namespace fp::runtime {

/// What one commit recorded of an execution. `state` may already be further: what matters is in the events.
struct Recorded {
  const engine::ExecutionState& state;
  std::span<const engine::Event> events;
  std::uint64_t first_seq = 0;  // number of the first of them in the journal
  TimePoint at{};
};

/// Log lines that one commit recorded: LogBatch `batch` of the execution.
struct Logged {
  const engine::ExecutionState& state;
  std::span<const ports::StoredLogLine> lines;
  std::uint64_t batch = 0;
  std::uint64_t after_seq = 0;
};

/// Told of what is on disk, never of what is not yet; of one execution in the order of its commits, the lines
/// of a commit before its events. Called on the execution's strand: be quick.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_recorded(const Recorded& recorded) = 0;
  /// A worker has begun an attempt; nothing records this.
  virtual void on_started(const engine::ExecutionState& state, model::TaskRef task, TimePoint at);
  virtual void on_log(const Logged& logged);
  /// Events were published, or a task waits for one.
  virtual void on_events();
};

/// Several as one. Add them before the runtime starts.
class ObserverList final : public Observer {
 public:
  void add(Observer* observer) { observers_.push_back(observer); }
  void on_recorded(const Recorded& recorded) override;
  void on_started(const engine::ExecutionState& state, model::TaskRef task, TimePoint at) override;
  void on_log(const Logged& logged) override;
  void on_events() override;

 private:
  std::vector<Observer*> observers_;
};

}  // namespace fp::runtime

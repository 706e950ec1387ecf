#pragma once

#include "engine/engine.hpp"
#include "ports/store.hpp"

#include <span>

namespace fp::runtime {

/// Told of what is on disk, never of what is not yet. Called on the execution's strand: be quick.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_recorded(const engine::ExecutionState& state, std::span<const engine::Event> events,
                           TimePoint at) = 0;
  /// A worker has begun an attempt; nothing records this.
  virtual void on_started(const engine::ExecutionState& state, model::TaskRef task, TimePoint at) = 0;
  virtual void on_log(const engine::ExecutionState& state, std::span<const ports::StoredLogLine> lines) = 0;
};

}  // namespace fp::runtime

#pragma once

#include "engine/engine.hpp"
#include "ports/store.hpp"

#include <atomic>
#include <span>

namespace fp::runtime {

/// Which of FlowPilot's own events somebody subscribes to or waits for. The others are not published: most
/// executions end without anybody listening. Set from any thread.
struct Announced {
  std::atomic<bool> execution_completed = false;
  std::atomic<bool> execution_failed = false;
  std::atomic<bool> execution_cancelled = false;
  std::atomic<bool> step_failed = false;
};

/// The event of a `publish` step.
ports::PublishedEvent make_event(const engine::ExecutionState& state,
                                 const engine::command::Publish& published, TimePoint at);
/// Appends the events that follow from what happened: `execution.completed`, `execution.failed`,
/// `execution.cancelled` and `step.failed` (docs/reference/triggers.md has their data).
void add_announced(const Announced& announced, const engine::ExecutionState& state,
                   std::span<const engine::Event> events, TimePoint at,
                   std::vector<ports::PublishedEvent>& out);

}  // namespace fp::runtime

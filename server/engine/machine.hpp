#pragma once

#include "model/event.hpp"

#include <array>
#include <optional>
#include <span>

namespace fp::engine {

using model::TaskStatus;

/// What can happen to a task, as far as its status is concerned.
enum class TaskChange { schedule, expand, retry, lose, wait, complete, fail, skip, cancel, reopen };

struct TaskTransition {
  TaskStatus from;
  TaskChange on;
  TaskStatus to;
};

/// Every legal transition of a task. `queued` is not here: it is how the outside sees a running task that no
/// worker has taken yet.
struct TaskMachine {
  static std::span<const TaskTransition> table();
  /// Where `on` leads from `from`; nullopt when it is not legal there.
  static std::optional<TaskStatus> next(TaskStatus from, TaskChange on);
};

}  // namespace fp::engine

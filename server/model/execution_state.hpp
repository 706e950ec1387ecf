#pragma once

#include "model/event.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fp::model {

struct TaskState {
  TaskStatus status = TaskStatus::pending;
  bool asked = false;  // volatile: an expression of this task is being evaluated; no event records it
  bool plain_taken = true;
  WaitKind wait = WaitKind::none;
  std::uint32_t attempt = 0;   // the newest one scheduled
  std::uint32_t failures = 0;  // since the task (re)started, that a retry followed
  std::uint32_t losses = 0;    // attempts lost in a row
  TimePoint ready_at{};        // when the task could first start: the time its expressions see
  std::optional<TimePoint> first_attempt_at;
  std::optional<TimePoint> ended_at;
  std::optional<TimePoint> due;  // retry, end of a delay, or when a wait gives up
  std::optional<ExecutionId> child;
  std::string wait_name;
  std::string port;
  Value wait_data;
  Value output;
  ErrorPtr error;

  /// Started and not ended.
  bool is_active() const {
    return status == TaskStatus::running || status == TaskStatus::retrying || status == TaskStatus::waiting;
  }
};

/// The tasks of a for_each step.
struct FanOut {
  Value items;
  std::vector<TaskState> tasks;
  std::uint32_t first_open = 0;  // no item before this one is pending
  std::uint32_t active = 0;
  std::uint32_t ended = 0;
  std::uint32_t failed = 0;
  std::uint32_t first_failed = kNoItem;
  std::uint32_t asked = 0;  // volatile, as TaskState::asked
};

struct StepState {
  TaskState task;             // of a for_each step: the step as a whole
  std::optional<FanOut> fan;  // once the items are known
  std::uint32_t settled = 0;  // incoming edges whose source has ended
  std::uint32_t taken = 0;
  std::uint32_t broken = 0;  // dead because their source failed and nothing handled it
  Value pin;                 // what it gives instead of running; empty = it runs
  bool left_out = false;     // skipped from the start, whatever leads there
};

/// One execution, folded from its journal. Lives on the strand of its shard; changed by engine::apply alone.
struct ExecutionState {
  ExecutionId id;
  std::shared_ptr<const Workflow> workflow;
  ExecutionStatus status = ExecutionStatus::pending;
  std::uint64_t last_seq = 0;
  std::uint32_t round = 0;  // how often a failed execution was reopened
  std::uint32_t deaths =
      0;  // processes that died in a row with attempts under way and nothing recorded in between
  std::uint32_t depth = 0;
  std::optional<EventId> cause;
  std::uint64_t seed = 0;
  std::string trigger;
  Value input;
  Value vars;
  Value labels;
  Value execution_info;  // what expressions read as `execution`
  Value workflow_info;   // ... and as `workflow`
  std::optional<ParentLink> parent;
  std::optional<ExecutionId> retry_of;
  std::optional<WorkflowId> workflow_id;
  std::uint32_t workflow_version = 0;  // 0 for a draft
  TimePoint started_at{};
  std::optional<TimePoint> ended_at;
  bool paused = false;
  std::string pause_reason;
  ErrorPtr failure;  // set from the moment the execution can only fail
  StepIndex failed_step = kNoStep;
  bool cancelling = false;
  bool forced = false;
  std::string cancel_reason;
  bool compensating = false;
  Value output;
  ErrorPtr error;

  std::vector<StepState> steps;
  std::uint32_t open_steps = 0;          // steps of the graph that have not ended
  std::vector<StepIndex> to_compensate;  // completed steps that can be undone, in order of completion
  std::uint32_t compensated = 0;         // how many of them, from the end, have been undone
  std::map<std::string, std::deque<Value>> signals;
  std::set<std::pair<TimePoint, TaskRef>> timers;
  std::set<TaskRef> event_waits;         // tasks that wait for an event
  std::set<std::uint64_t> taken_events;  // numbers of those that ended a wait

  std::vector<StepIndex> touched;  // volatile: pending steps whose edges settled and that want a look
  bool output_asked = false;       // volatile

  TaskState& task(TaskRef ref) {
    auto& step = steps[ref.step];
    return ref.item == kNoItem ? step.task : step.fan->tasks[ref.item];
  }
  const TaskState& task(TaskRef ref) const { return const_cast<ExecutionState*>(this)->task(ref); }
  bool has_task(TaskRef ref) const {
    if (ref.step >= steps.size()) return false;
    return ref.item == kNoItem || (steps[ref.step].fan && ref.item < steps[ref.step].fan->tasks.size());
  }
  /// May anything but `always` steps and compensations start?
  bool is_stopping() const { return failure != nullptr || cancelling; }
};

}  // namespace fp::model

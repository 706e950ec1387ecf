#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "model/workflow.hpp"

#include <compare>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fp::model {

inline constexpr std::uint32_t kNoItem = std::numeric_limits<std::uint32_t>::max();

/// One task: a step, and for a for_each step which item. `step == kNoStep` stands for the execution itself.
struct TaskRef {
  StepIndex step = kNoStep;
  std::uint32_t item = kNoItem;
  auto operator<=>(const TaskRef&) const = default;
};

/// Errors are shared like values; an empty pointer means none.
using ErrorPtr = std::shared_ptr<const Error>;
inline ErrorPtr make_error(Error error) {
  return std::make_shared<const Error>(std::move(error));
}

enum class ExecutionStatus { pending, running, waiting, paused, completed, failed, cancelled };
enum class TaskStatus { pending, queued, running, retrying, waiting, completed, failed, skipped, cancelled };
enum class WaitKind { none, delay, signal, approval, child, event };

std::string_view to_string(ExecutionStatus status);
std::string_view to_string(TaskStatus status);
std::string_view to_string(WaitKind kind);
std::optional<ExecutionStatus> parse_execution_status(std::string_view text);
std::optional<TaskStatus> parse_task_status(std::string_view text);
std::optional<WaitKind> parse_wait_kind(std::string_view text);
constexpr bool is_terminal(ExecutionStatus s) {
  return s == ExecutionStatus::completed || s == ExecutionStatus::failed || s == ExecutionStatus::cancelled;
}
constexpr bool is_terminal(TaskStatus s) {
  return s == TaskStatus::completed || s == TaskStatus::failed || s == TaskStatus::skipped ||
         s == TaskStatus::cancelled;
}

/// Who waits for a child execution.
struct ParentLink {
  ExecutionId execution;
  TaskRef task;
  std::uint32_t round = 0;  // of the parent when it asked: an answer to an earlier round is stale
  bool operator==(const ParentLink&) const = default;
};

/// A step that counts as completed from the start: with what an earlier execution recorded, or with a value
/// given by hand.
struct ReusedStep {
  StepIndex step = kNoStep;
  Value output;
  std::string port;
  bool plain_taken = true;
  bool pinned = false;
};
/// A value given by hand for a step: it completes so when its turn comes, instead of running.
struct PinnedStep {
  StepIndex step = kNoStep;
  Value output;
};

// What happened in an execution, in the words of the journal. Events are facts: applying them never fails.
namespace event {

struct ExecutionStarted {
  std::string workflow_name;
  std::string version_hash;
  std::optional<WorkflowId> workflow_id;  // none for a document that no workflow holds
  std::uint32_t workflow_version = 0;     // 0 for a draft
  Value input;
  Value vars;
  std::uint64_t seed = 0;  // of everything random in this execution
  std::string trigger;
  Value labels;
  std::optional<ParentLink> parent;
  std::optional<ExecutionId> retry_of;
  std::uint32_t depth = 0;       // of executions above this one that started each other
  std::optional<EventId> cause;  // the first event of the chain that led here
  std::vector<ReusedStep> reused;
  std::optional<ExecutionId> reused_from;  // of a partial run
  std::vector<PinnedStep> pins;
  std::vector<StepIndex> left_out;  // skipped from the start, because somebody wants a part only
};
/// A for_each step knows its items.
struct ItemsExpanded {
  StepIndex step = kNoStep;
  Value items;
};
/// The attempt is owed to a worker from now on.
struct AttemptScheduled {
  TaskRef task;
  std::uint32_t attempt = 0;
};
/// The attempt failed and another one follows at `retry_at`.
struct AttemptFailed {
  TaskRef task;
  std::uint32_t attempt = 0;
  ErrorPtr error;
  TimePoint retry_at{};
};
/// Nobody knows how the attempt ended; it is repeated with the same idempotency key and costs no retry.
struct AttemptLost {
  TaskRef task;
  std::uint32_t attempt = 0;
  std::string reason;  // process_died, worker_lost, shutdown
};
struct TaskWaiting {
  TaskRef task;
  WaitKind kind = WaitKind::none;
  std::optional<TimePoint> due;  // when a delay is over, or a wait gives up
  std::string name;              // of the signal or event; the workflow of a child
  std::optional<ExecutionId> child;
  Value data;  // what an approval shows; the input of a child; {key, since?} of an event
};
struct TaskCompleted {
  TaskRef task;
  std::uint32_t attempt = 0;  // 0 when the engine itself decided it
  Value output;
  std::string port;         // "" for a step with one plain way out
  bool plain_taken = true;  // are edges without `when` taken?
  std::optional<TimePoint> started_at;
  bool pinned = false;  // not run: a value given by hand stands in
};
/// Failed for good.
struct TaskFailed {
  TaskRef task;
  std::uint32_t attempt = 0;
  ErrorPtr error;
  std::optional<TimePoint> started_at;
};
struct TaskSkipped {
  StepIndex step = kNoStep;
};
struct TaskCancelled {
  TaskRef task;
};
/// A for_each step as a whole: completed, failed or cancelled.
struct ItemsEnded {
  StepIndex step = kNoStep;
  TaskStatus status = TaskStatus::completed;
  ErrorPtr error;
};
/// A signal nobody waits for yet; kept for the first wait_signal of its name.
struct SignalBuffered {
  std::string name;
  Value payload;
};
struct SignalTaken {
  std::string name;
};
/// A published event ended what waited for it. It ends nothing else in this execution.
struct EventTaken {
  std::uint64_t number = 0;
};
/// The execution can only fail from here on: nothing starts but `always` steps and compensations.
struct ExecutionFailing {
  ErrorPtr error;
  StepIndex step = kNoStep;  // which step brought it down; kNoStep for a time-out
};
struct CancelRequested {
  std::string reason;
  bool force = false;  // not even `always` steps run
};
struct ExecutionPaused {
  std::string reason;
  ErrorPtr error;  // set when the execution is quarantined
};
struct ExecutionResumed {};
/// The process that carried this execution died while attempts were under way.
struct ProcessDied {};
struct CompensationStarted {};
/// A failed execution goes on: these steps run again.
struct ExecutionReopened {
  std::vector<StepIndex> steps;
};
/// A result nobody waited for any more; evidence, never applied.
struct LateResult {
  TaskRef task;
  std::uint32_t attempt = 0;
  bool succeeded = false;
};
struct ExecutionEnded {
  ExecutionStatus status = ExecutionStatus::completed;
  Value output;
  ErrorPtr error;
};

}  // namespace event

using Event =
    std::variant<event::ExecutionStarted, event::ItemsExpanded, event::AttemptScheduled, event::AttemptFailed,
                 event::AttemptLost, event::TaskWaiting, event::TaskCompleted, event::TaskFailed,
                 event::TaskSkipped, event::TaskCancelled, event::ItemsEnded, event::SignalBuffered,
                 event::SignalTaken, event::ExecutionFailing, event::CancelRequested, event::ExecutionPaused,
                 event::ExecutionResumed, event::ProcessDied, event::CompensationStarted,
                 event::ExecutionReopened, event::LateResult, event::ExecutionEnded, event::EventTaken>;

}  // namespace fp::model

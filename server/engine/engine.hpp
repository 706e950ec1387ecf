#pragma once

#include "model/event.hpp"
#include "model/execution_state.hpp"
#include "model/scope_entry.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The heart: pure functions from (state, input, now) to events and commands. No I/O, clock, randomness,
/// logging.
namespace fp::engine {

using model::Event;
using model::ExecutionState;
using model::TaskRef;

/// One round trip to the sandbox: what each JavaScript expression (times item) gave.
using Answer = std::vector<Result<Json>>;

namespace input {

struct Start {
  model::event::ExecutionStarted started;
};
struct AttemptEnded {
  TaskRef task;
  std::uint32_t attempt = 0;
  Result<Value> outcome;
  std::optional<TimePoint> started_at;
};
struct AttemptLost {
  TaskRef task;
  std::uint32_t attempt = 0;
  std::string reason;
};
/// Time has passed: every timer due at `now` fires.
struct TimeReached {};
struct Signal {
  std::string name;
  Value payload;
};
/// An event that was published, for an execution that waits for one of this name.
struct EventArrived {
  std::uint64_t number = 0;
  std::string name;
  std::string key;
  Value event;  // what the wait gives
};
/// A person decided an approval.
struct ApprovalDecided {
  TaskRef task;
  bool approved = false;
  Value output;  // {approved, by, comment, data}
};
struct ChildEnded {
  TaskRef task;
  std::uint32_t round = 0;
  ExecutionId child;
  model::ExecutionStatus status = model::ExecutionStatus::completed;
  Value output;
  model::ErrorPtr error;
};
/// The answers to an Evaluate command, all stages from the first on.
struct Evaluated {
  TaskRef task;
  std::uint32_t round = 0;
  std::uint32_t attempt = 0;  // how many were scheduled when it was asked
  std::vector<Answer> answers;
};
struct Cancel {
  std::string reason;
};
struct Pause {
  std::string reason;
};
struct Resume {};
/// The same execution goes on from what failed.
struct RetryFailed {};
/// This process took the execution over. `died` when its predecessor ended without an orderly shutdown.
struct Recover {
  bool died = false;
};
/// An orderly shutdown waits no longer for these attempts.
struct Shutdown {};

}  // namespace input

using Input = std::variant<input::Start, input::AttemptEnded, input::AttemptLost, input::TimeReached,
                           input::Signal, input::EventArrived, input::ApprovalDecided, input::ChildEnded,
                           input::Evaluated, input::Cancel, input::Pause, input::Resume, input::RetryFailed,
                           input::Recover, input::Shutdown>;

// What the runtime must do once the events are committed. Commands follow from events and state alone and may
// be carried out twice without harm: their keys (task, attempt, round) never change.
namespace command {

struct Dispatch {
  TaskRef task;
  std::uint32_t attempt = 0;
  Value config;
};
struct CancelAttempt {
  TaskRef task;
  std::uint32_t attempt = 0;
};
/// Needs no commit before it: asking changes nothing.
struct Evaluate {
  TaskRef task;  // kNoStep: the workflow's output
  std::uint32_t round = 0;
  std::uint32_t attempt = 0;
  std::vector<Answer> previous;  // answers of earlier stages, to be handed back with the new one
  std::vector<model::ScopeEntry> scope;
  std::vector<std::string> expressions;
  Value items;
  TimePoint now{};
  std::uint64_t seed = 0;
};
struct StartChild {
  ExecutionId child;
  std::string workflow;
  Value input;
  TaskRef task;
  bool wait = true;
};
struct CancelChild {
  ExecutionId child;
};
/// Goes to the disk with the decision: nothing is left to do after it.
struct Publish {
  EventId id;
  TaskRef task;
  std::string name;
  std::string key;
  Value data;
};
/// The execution has ended and somebody waits for it.
struct NotifyParent {
  model::ParentLink parent;
};
/// The execution failed and its settings name a workflow for that.
struct StartFailureWorkflow {
  ExecutionId child;
  std::string workflow;
  Value input;
};

}  // namespace command

using Command = std::variant<command::Dispatch, command::CancelAttempt, command::Evaluate,
                             command::StartChild, command::CancelChild, command::Publish,
                             command::NotifyParent, command::StartFailureWorkflow>;

struct Decision {
  std::vector<Event> events;
  std::vector<Command> commands;
  std::optional<Error> refusal;  // the input does not apply here; nothing happened
};

/// What follows from `input`, leaving `state` as it is.
Decision decide(const ExecutionState& state, const Input& input, TimePoint now);
/// The same, applied to `state` as it goes: `state` is afterwards what folding the decision's events into it
/// gives. The runtime's form: no copy of the state, so a commit that fails must drop the state.
Decision advance(ExecutionState& state, const Input& input, TimePoint now);

/// The only way state changes. `at` is the time of the decision the event came from.
void apply(ExecutionState& state, const Event& event, TimePoint at);

/// A state nothing has happened in yet.
ExecutionState make_state(ExecutionId id, std::shared_ptr<const model::Workflow> workflow);

/// When the execution next wants input::TimeReached; nullopt while paused or ended.
std::optional<TimePoint> next_wake(const ExecutionState& state);
/// Nothing of it is with a worker or the sandbox or about to start, so it may leave memory until something
/// happens to it.
bool is_idle(const ExecutionState& state);
/// How lists show it: `waiting` when it only waits, `paused` when paused.
model::ExecutionStatus shown_status(const ExecutionState& state);
/// The same for every attempt of a task.
std::string idempotency_key(const ExecutionState& state, TaskRef task);

/// The start of a new execution of `workflow` that takes over what `earlier` recorded for steps that are
/// neither `from` nor after it; with an empty `from` it takes over none. Error retry.not_possible when a step
/// of that name is not in the workflow.
Result<model::event::ExecutionStarted> plan_retry(const ExecutionState& earlier,
                                                  const model::Workflow& workflow, const std::string& from);

}  // namespace fp::engine

#include "base/error_code.hpp"
#include "base/failpoint.hpp"
#include "base/mutant.hpp"
#include "engine/retry.hpp"
#include "runtime/inbox_codec.hpp"
#include "runtime/shard.hpp"

#include <fmt/format.h>

namespace fp::runtime {

namespace cmd = engine::command;
using engine::ExecutionState;

/// What must be on disk together with the decision: children that start, and news for other executions.
void ExecutionShard::prepare(const ActivePtr& active, const engine::Decision& decision, TimePoint at,
                             Step& step, PendingWrite& write) {
  const auto& state = active->state;
  add_announced(p_.announced, state, decision.events, at, write.write.published);
  for (const auto& command : decision.commands) {
    if (const auto* child = std::get_if<cmd::StartChild>(&command)) {
      std::optional<model::ParentLink> link;
      if (child->wait) link = model::ParentLink{state.id, child->task, state.round};
      bear(active, child->child, child->workflow, child->input, link, at, write, step);
    } else if (const auto* handler = std::get_if<cmd::StartFailureWorkflow>(&command)) {
      bear(active, handler->child, handler->workflow, handler->input, {}, at, write, step);
    } else if (const auto* cancelled = std::get_if<cmd::CancelChild>(&command)) {
      write.inbox.push_back(
          {0, cancelled->child, encode_input(engine::input::Cancel{"its parent execution stopped"}), at});
    } else if (const auto* published = std::get_if<cmd::Publish>(&command)) {
      write.write.published.push_back(make_event(state, *published, at));
    } else if (const auto* notify = std::get_if<cmd::NotifyParent>(&command)) {
      engine::input::ChildEnded ended{notify->parent.task, notify->parent.round, state.id,
                                      state.status,        state.output,         state.error};
      write.inbox.push_back({0, notify->parent.execution, encode_input(ended), at});
    }
  }
}

/// The first row of a child execution: it is born with the decision that wants it, and its own shard carries
/// it on.
void ExecutionShard::bear(const ActivePtr& parent, const ExecutionId& child, const std::string& name,
                          Value input, std::optional<model::ParentLink> link, TimePoint at,
                          PendingWrite& write, Step& step) {
  const auto named = p_.catalog.load_by_name(name);
  const auto fits = named ? model::check_input(*named->workflow, *input) : Result<void>(named.error());
  if (!fits || parent->state.depth + 1 > options_.most_depth) {
    if (!link) return;
    return refuse_child(
        parent, child, *link, at, write,
        fits ? Error(codes::run_depth_exceeded,
                     fmt::format("workflows start each other more than {} deep", options_.most_depth))
             : fits.error());
  }
  const auto& workflow = named->workflow;
  model::event::ExecutionStarted started;
  started.workflow_name = workflow->name;
  started.version_hash = workflow->hash;
  started.workflow_id = named->id;
  started.workflow_version = named->version;
  started.input = std::move(input);
  started.vars = parent->state.vars;
  started.seed =
      engine::draw(parent->state.seed, link ? link->task : model::TaskRef{}, parent->state.round + 1);
  started.trigger = link ? "parent" : "workflow";
  started.parent = link;
  started.depth = parent->state.depth + 1;
  started.cause = parent->state.cause;
  auto state = engine::make_state(child, workflow);
  engine::Event event = std::move(started);
  engine::apply(state, event, at);
  write.versions.push_back(to_version(*workflow, at));  // a draft's document is stored nowhere else
  JournalPosition position;
  write.births.push_back(p_.journal.record(state, std::span(&event, 1), at, position));
  if (p_.observer != nullptr) step.born.emplace_back(std::move(state), std::move(event));
}

/// The child can not start. Its parent hears of it as of a failed child, by news that are on disk with the
/// decision.
void ExecutionShard::refuse_child(const ActivePtr& parent, const ExecutionId& child,
                                  const model::ParentLink& link, TimePoint at, PendingWrite& write,
                                  Error error) {
  const engine::input::ChildEnded ended{link.task, link.round,
                                        child,     model::ExecutionStatus::failed,
                                        nullptr,   model::make_error(std::move(error))};
  write.inbox.push_back({0, parent->state.id, encode_input(ended), at});
}

void ExecutionShard::carry_out(const ActivePtr& active, engine::Command& command) {
  if (auto* wanted = std::get_if<cmd::Dispatch>(&command)) return dispatch(active, *wanted);
  if (auto* wanted = std::get_if<cmd::Evaluate>(&command)) return evaluate(active, *wanted);
  if (const auto* wanted = std::get_if<cmd::CancelAttempt>(&command))
    return cancel_attempt(active->state.id, wanted->task, wanted->attempt);
  if (const auto* wanted = std::get_if<cmd::StartChild>(&command)) return p_.wake_elsewhere(wanted->child);
  if (const auto* wanted = std::get_if<cmd::StartFailureWorkflow>(&command))
    return p_.wake_elsewhere(wanted->child);
  // NotifyParent, CancelChild and Publish went to the disk with the commit.
}

void ExecutionShard::dispatch(const ActivePtr& active, cmd::Dispatch& command) {
  if (shutting_down_) return;
  ++active->attempts;
  FP_FAILPOINT("dispatch-before-hint");
  const auto& type = active->state.workflow->steps[command.task.step].type->type;
  if (waiting_.find(type) == waiting_.end() && try_dispatch(active, command)) return;
  waiting_[type].push_back({active->state.id, std::move(command)});
  watch_leases();  // whoever has the slots may belong to another shard, whose reports do not come here
}

bool ExecutionShard::try_dispatch(const ActivePtr& active, const cmd::Dispatch& command) {
  const auto& state = active->state;
  const auto& step = state.workflow->steps[command.task.step];
  ports::AttemptRequest request;
  request.execution = state.id;
  request.step = step.id;
  if (command.task.item != model::kNoItem) request.index = command.task.item;
  request.attempt = command.attempt;
  request.step_type = step.type->type;
  request.config = command.config;
  request.idempotency_key = engine::idempotency_key(state, command.task);
  if (FP_MUTANT("key of the attempt")) request.idempotency_key += std::to_string(command.attempt);
  request.timeout = step.timeout;
  const auto lease = leases_.grant(
      {state.id, command.task, command.attempt, step.timeout + options_.timeout_grace, false, {}, {}},
      p_.clock.steady_now());
  switch (p_.workers.dispatch(lease, std::move(request), *this)) {
    case ports::Dispatched::refused:
      leases_.release(lease);
      return false;
    case ports::Dispatched::queued:
      leases_.hold(lease);
      return true;
    case ports::Dispatched::running:
      break;
  }
  if (p_.observer != nullptr) p_.observer->on_started(state, command.task, p_.clock.now());
  watch_leases();
  return true;
}

/// A type whose workers are busy holds up no other type.
void ExecutionShard::dispatch_waiting() {
  for (auto lane = waiting_.begin(); lane != waiting_.end() && !shutting_down_;) {
    auto& attempts = lane->second;
    while (!attempts.empty()) {
      auto& next = attempts.front();
      const auto active = find_active(next.execution);
      const bool wanted = active &&
                          active->state.task(next.dispatch.task).status == model::TaskStatus::running &&
                          active->state.task(next.dispatch.task).attempt == next.dispatch.attempt;
      if (wanted && !try_dispatch(active, next.dispatch)) break;
      if (active && !wanted) {
        --active->attempts;
        settle(active);
      }
      attempts.pop_front();
    }
    lane = attempts.empty() ? waiting_.erase(lane) : std::next(lane);
  }
}

void ExecutionShard::evaluate(const ActivePtr& active, cmd::Evaluate& command) {
  ++active->evaluations;
  ports::EvaluationRequest request;
  request.scope = std::move(command.scope);
  request.expressions = std::move(command.expressions);
  request.items = std::move(command.items);
  request.now = command.now;
  request.seed = command.seed;
  engine::input::Evaluated evaluated{command.task, command.round, command.attempt,
                                     std::move(command.previous)};
  auto done = [this, active, evaluated = std::move(evaluated)](ports::EvaluationAnswer answer) mutable {
    evaluated.answers.push_back(std::move(answer.results));
    p_.loop.post([this, active, evaluated = std::move(evaluated)]() mutable {
      --active->evaluations;
      if (find_active(active->state.id) != active) return;
      Step step;
      step.input = std::move(evaluated);
      take(active, std::move(step));
    });
  };
  p_.expressions.evaluate(std::move(request), std::move(done));
}

void ExecutionShard::cancel_attempt(const ExecutionId& id, model::TaskRef task, std::uint32_t attempt) {
  const auto lease = leases_.find(id, task, attempt);
  if (!lease) return;
  p_.workers.cancel(*lease, *this);
  leases_.release(*lease);
  if (const auto active = find_active(id)) --active->attempts;
  dispatch_waiting();
}

}  // namespace fp::runtime

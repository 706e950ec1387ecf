#include "runtime/shard.hpp"

#include <fmt/format.h>

#include "base/error_code.hpp"
#include "base/failpoint.hpp"

namespace fp::runtime {

using engine::ExecutionState;

ExecutionShard::ExecutionShard(ShardPorts ports, RuntimeOptions options)
    : p_(std::move(ports)), options_(options), leases_(options.lease_ttl) {}

ExecutionShard::~ExecutionShard() = default;

ExecutionShard::ActivePtr ExecutionShard::find_active(const ExecutionId& id) {
  const auto found = active_.find(id);
  return found == active_.end() ? nullptr : found->second;
}

ExecutionShard::ActivePtr ExecutionShard::adopt(LoadedState loaded) {
  auto active = std::make_shared<Active>();
  active->state = std::move(loaded.state);
  active->position = std::move(loaded.position);
  active_.emplace(active->state.id, active);
  return active;
}

ExecutionShard::ActivePtr ExecutionShard::load_active(const ExecutionId& id) {
  if (auto active = find_active(id)) return active;
  auto loaded = p_.journal.load(id);
  return loaded ? adopt(std::move(*loaded)) : nullptr;
}

void ExecutionShard::start(StartRequest request, StartReply reply) {
  if (active_.size() >= options_.most_active || p_.commits.depth() >= options_.most_pending_writes || shutting_down_) {
    return reply(Error(codes::runtime_overloaded, fmt::format("{} executions are under way; try again soon", active_.size())));
  }
  p_.catalog.remember(request.workflow);
  auto active = adopt({engine::make_state(request.id, request.workflow), {}});
  Step step;
  step.input = engine::input::Start{std::move(request.started)};
  step.idempotency = std::move(request.idempotency);
  step.start_reply = std::move(reply);
  take(active, std::move(step));
}

void ExecutionShard::deliver(const ExecutionId& id, engine::Input input, InputReply reply, std::optional<std::uint64_t> inbox) {
  const auto active = load_active(id);
  if (!active) {
    if (reply) reply(Error(codes::execution_unknown, fmt::format("there is no execution {}", to_string(id))));
    if (inbox) consume_only(id, *inbox);
    return;
  }
  Step step;
  step.input = std::move(input);
  step.reply = std::move(reply);
  step.inbox = inbox;
  take(active, std::move(step));
}

/// News for an execution that does not exist (any more): nobody will ever want them.
void ExecutionShard::consume_only(const ExecutionId& id, std::uint64_t inbox) {
  PendingWrite pending;
  pending.write.id = id;
  pending.write.consumed_inbox.push_back(inbox);
  p_.commits.push(std::move(pending));
}

void ExecutionShard::watch_end(const ExecutionId& id, EndWatch watch, UniqueFunction<void()> missing) {
  const auto active = load_active(id);
  if (!active) return missing();
  // Ended but perhaps not yet on disk: on_committed calls the watches.
  active->watches.push_back(std::move(watch));
  settle(active);
}

void ExecutionShard::recover(const ExecutionId& id, bool died) {
  deliver(id, engine::input::Recover{died}, {});
  deliver(id, engine::input::TimeReached{}, {});
}

void ExecutionShard::take(const ActivePtr& active, Step step) {
  const auto now = p_.clock.now();
  auto decision = engine::advance(active->state, step.input, now);
  if (decision.refusal) {
    if (step.reply) step.reply(std::move(*decision.refusal));
    if (!step.inbox) return settle(active);
    decision = {};  // the entry is consumed all the same: it will never apply
  }
  if (decision.events.empty() && !step.inbox && step.log_lines.empty()) {
    for (auto& command : decision.commands) carry_out(active, command);
    if (step.reply) step.reply({});
    return settle(active);
  }
  commit(active, std::move(decision), now, std::move(step));
}

void ExecutionShard::commit(const ActivePtr& active, engine::Decision decision, TimePoint at, Step step) {
  PendingWrite pending;
  if (decision.events.empty()) {
    pending.write.id = active->state.id;
  } else {
    pending.write = p_.journal.record(active->state, decision.events, at, active->position);
  }
  pending.write.idempotency = std::move(step.idempotency);
  pending.write.log_lines = std::move(step.log_lines);
  if (step.inbox) pending.write.consumed_inbox.push_back(*step.inbox);
  if (std::holds_alternative<engine::input::Start>(step.input)) pending.versions.push_back(to_version(*active->state.workflow, at));
  prepare(active, decision, at, step, pending);
  pending.home = &p_.loop;
  ++active->writes_in_flight;
  if (p_.observer != nullptr && !pending.write.log_lines.empty()) step.log_lines = pending.write.log_lines;
  pending.done = [this, active, decision = std::move(decision), at, step = std::move(step)](const std::vector<ports::WriteOutcome>& outcomes) mutable {
    on_committed(active, decision, at, step, outcomes);
  };
  p_.commits.push(std::move(pending));
}

void ExecutionShard::on_committed(const ActivePtr& active, const engine::Decision& decision, TimePoint at, Step& step, const std::vector<ports::WriteOutcome>& outcomes) {
  --active->writes_in_flight;
  const auto outcome = outcomes.front();
  if (outcome != ports::WriteOutcome::committed) {
    // Somebody else recorded these events: what is in memory is not what is on disk, so it goes.
    active_.erase(active->state.id);
    const bool taken = outcome == ports::WriteOutcome::duplicate_key;
    const Error error(taken ? codes::execution_duplicate : codes::execution_conflict,
                      taken ? "an execution was started with this idempotency key before" : "another process has taken this execution over");
    if (step.start_reply) step.start_reply(error);
    if (step.reply) step.reply(error);
    return;
  }
  FP_FAILPOINT("result-before-advance");
  if (p_.observer != nullptr) {
    if (!step.log_lines.empty()) p_.observer->on_log(active->state, step.log_lines);
    if (!decision.events.empty()) p_.observer->on_recorded(active->state, decision.events, at);
    for (std::size_t i = 0; i < step.born.size(); ++i) {
      if (outcomes[i + 1] == ports::WriteOutcome::committed) p_.observer->on_recorded(step.born[i].first, std::span(&step.born[i].second, 1), at);
    }
  }
  if (step.start_reply) step.start_reply(active->state.id);
  if (step.reply) step.reply({});
  for (const auto& command : decision.commands) carry_out(active, const_cast<engine::Command&>(command));
  settle(active);
}

/// After anything happened to an execution: tells who waits for its end, sets its alarm, lets it leave memory.
void ExecutionShard::settle(const ActivePtr& active) {
  if (active->writes_in_flight > 0) return;
  const auto& state = active->state;
  const bool ended = model::is_terminal(state.status);
  if (ended) {
    for (auto& watch : std::exchange(active->watches, {})) watch(state);
  }
  if (active->attempts > 0 || active->evaluations > 0) return set_alarm(active);
  if (!ended && (!active->watches.empty() || !engine::is_idle(state))) return set_alarm(active);
  const auto wake = engine::next_wake(state);
  if (!ended && wake && *wake <= p_.clock.now() + options_.keep_awake) return set_alarm(active);
  if (!ended && wake) p_.note_wake(state.id, *wake);
  active_.erase(state.id);
}

void ExecutionShard::begin_shutdown() {
  shutting_down_ = true;
  waiting_.clear();
}

void ExecutionShard::give_back_attempts() {
  for (const auto& [id, lease] : leases_.list_all()) {
    p_.workers.cancel(id, *this);
    leases_.release(id);
    if (auto active = find_active(lease.execution)) --active->attempts;
  }
  const auto all = active_;
  for (const auto& [id, active] : all) {
    Step step;
    step.input = engine::input::Shutdown{};
    take(active, std::move(step));
  }
}

}  // namespace fp::runtime

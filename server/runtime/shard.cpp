#include "runtime/shard.hpp"

#include "base/error_code.hpp"
#include "base/failpoint.hpp"
#include "base/mutant.hpp"

#include <fmt/format.h>

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
  if (!loaded) return nullptr;
  auto active = adopt(std::move(*loaded));
  if (model::is_terminal(active->state.status)) return active;
  // What runs according to the disk and is not in memory ran in a process that is no more.
  Step step;
  step.input = engine::input::Recover{true};
  take(active, std::move(step));
  active_.try_emplace(id, active);  // it may have had nothing to do; its caller has
  return active;
}

/// A journal that is damaged is the trouble of its execution alone; a storage that fails is everybody's.
Result<ExecutionShard::ActivePtr> ExecutionShard::try_load(const ExecutionId& id) {
  try {
    return load_active(id);
  } catch (const Unavailable& failed) {
    if (failed.error().code != codes::storage_corrupt.id) p_.commits.fail(failed.error());
    return failed.error();
  }
}

/// Only this one: somebody may have loaded it anew meanwhile.
void ExecutionShard::forget(const ActivePtr& active) {
  if (find_active(active->state.id) == active) active_.erase(active->state.id);
}

void ExecutionShard::start(StartRequest request, StartReply reply) {
  if (active_.size() >= options_.most_active || p_.commits.depth() >= options_.most_pending_writes ||
      shutting_down_) {
    return reply(Error(codes::runtime_overloaded,
                       fmt::format("{} executions are under way; try again soon", active_.size())));
  }
  p_.catalog.remember(request.workflow);
  auto active = adopt({engine::make_state(request.id, request.workflow), {}});
  Step step;
  step.input = engine::input::Start{std::move(request.started)};
  step.idempotency = std::move(request.idempotency);
  step.tick = std::move(request.tick);
  step.start_reply = std::move(reply);
  take(active, std::move(step));
}

void ExecutionShard::deliver(const ExecutionId& id, engine::Input input, InputReply reply,
                             std::optional<std::uint64_t> inbox,
                             std::optional<ports::IdempotencyEntry> idempotency) {
  const auto loaded = try_load(id);
  if (!loaded) {
    if (reply && !inbox) reply(loaded.error());
    return;
  }
  const auto& active = *loaded;
  if (!active) {
    if (reply) reply(Error(codes::execution_unknown, fmt::format("there is no execution {}", to_string(id))));
    if (inbox) consume_only(id, *inbox);
    return;
  }
  Step step;
  step.input = std::move(input);
  step.reply = std::move(reply);
  step.inbox = inbox;
  step.idempotency = std::move(idempotency);
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
  const auto loaded = try_load(id);
  if (!loaded && loaded.error().code != codes::storage_corrupt.id) return;  // this process ends
  if (!loaded || !*loaded) return missing();
  const auto& active = *loaded;
  // Ended but perhaps not yet on disk: on_committed calls the watches.
  active->watches.push_back(std::move(watch));
  settle(active);
}

void ExecutionShard::recover(const ExecutionId& id) {
  deliver(id, engine::input::TimeReached{}, {});
}

void ExecutionShard::take(const ActivePtr& active, Step step) {
  if (closed_) {
    settle_report(step, ports::ReportFate::dropped);
    // News from the inbox stay there, unanswered: they are the next process's.
    if (step.reply && !step.inbox)
      step.reply(Error(codes::runtime_overloaded,
                       "this process is ending; the execution goes on with the next one"));
    return;
  }
  const auto now = p_.clock.now();
  auto decision = engine::advance(active->state, step.input, now);
  step.refusal = std::move(decision.refusal);
  const bool changes_nothing = decision.events.empty() && !step.inbox && step.log_lines.empty();
  // An answer that rests on decisions not yet on disk waits for them.
  if (changes_nothing && (active->writes_in_flight == 0 || !step.reply)) {
    for (auto& command : decision.commands) carry_out(active, command);
    answer(step);
    settle_report(step, ports::ReportFate::late);
    return settle(active);
  }
  try {
    commit(active, std::move(decision), now, std::move(step));
  } catch (const Unavailable& failed) {
    p_.commits.fail(failed.error());  // memory is ahead of the disk for good
  }
}

void ExecutionShard::answer(Step& step) {
  if (!step.reply) return;
  if (step.refusal) return step.reply(std::move(*step.refusal));
  step.reply({});
}

void ExecutionShard::settle_report(Step& step, ports::ReportFate fate) {
  if (step.settled) std::exchange(step.settled, {})(fate);
}

void ExecutionShard::commit(const ActivePtr& active, engine::Decision decision, TimePoint at, Step step) {
  PendingWrite pending;
  if (decision.events.empty()) {
    pending.write.id = active->state.id;
  } else {
    pending.write = p_.journal.record(active->state, decision.events, at, active->position);
  }
  pending.write.idempotency = std::move(step.idempotency);
  pending.write.tick = std::move(step.tick);
  step.first_seq = active->state.last_seq - decision.events.size() + 1;
  if (!step.log_lines.empty()) {
    pending.write.log_lines = step.log_lines;
    pending.write.log_after_seq = step.first_seq - 1;
    step.log_batch = ++active->position.log_batches;
  }
  if (step.inbox) pending.write.consumed_inbox.push_back(*step.inbox);
  if (std::holds_alternative<engine::input::Start>(step.input))
    pending.versions.push_back(to_version(*active->state.workflow, at));
  if (FP_MUTANT("reply before commit") && step.start_reply)
    std::exchange(step.start_reply, {})(&active->state);
  if (FP_MUTANT("dispatch before commit")) {
    for (auto& command : decision.commands) {
      if (auto* dispatch_now = std::get_if<engine::command::Dispatch>(&command))
        dispatch(active, *dispatch_now);
    }
  }
  prepare(active, decision, at, step, pending);
  if (FP_MUTANT("child not born with its parent")) pending.births.clear(), step.born.clear();
  step.has_news = !pending.inbox.empty();
  step.has_events = !pending.write.published.empty() || !pending.write.waits_begun.empty();
  pending.home = &p_.loop;
  ++active->writes_in_flight;
  pending.done = [this, active, decision = std::move(decision), at,
                  step = std::move(step)](const std::vector<ports::WriteOutcome>& outcomes) mutable {
    on_committed(active, decision, at, step, outcomes);
  };
  p_.commits.push(std::move(pending));
}

void ExecutionShard::on_committed(const ActivePtr& active, const engine::Decision& decision, TimePoint at,
                                  Step& step, const std::vector<ports::WriteOutcome>& outcomes) {
  --active->writes_in_flight;
  if (step.has_news)
    p_.wake_inbox();  // on disk even when the decision is not; what no longer applies is consumed there
  const auto outcome = outcomes.front();
  if (outcome != ports::WriteOutcome::committed) {
    // Somebody else recorded these events: what is in memory is not what is on disk, so it goes.
    forget(active);
    const bool taken = outcome == ports::WriteOutcome::duplicate_key;
    const Error error(taken ? codes::execution_duplicate : codes::execution_conflict,
                      taken ? "an execution was started with this idempotency key before"
                            : "another process has taken this execution over");
    if (step.start_reply) step.start_reply(error);
    if (step.reply) step.reply(error);
    return settle_report(step, ports::ReportFate::dropped);
  }
  FP_FAILPOINT("result-before-advance");
  if (p_.observer != nullptr) {
    tell_observer(active, decision, at, step, outcomes);
    if (step.has_events) p_.observer->on_events();
  }
  if (step.start_reply) step.start_reply(&active->state);
  answer(step);
  for (const auto& command : decision.commands) carry_out(active, const_cast<engine::Command&>(command));
  settle_report(step, decision.events.empty() ? ports::ReportFate::late : ports::ReportFate::recorded);
  settle(active);
}

void ExecutionShard::tell_observer(const ActivePtr& active, const engine::Decision& decision, TimePoint at,
                                   const Step& step, const std::vector<ports::WriteOutcome>& outcomes) {
  if (!step.log_lines.empty())
    p_.observer->on_log({active->state, step.log_lines, step.log_batch, step.first_seq - 1});
  if (!decision.events.empty())
    p_.observer->on_recorded({active->state, decision.events, step.first_seq, at});
  for (std::size_t i = 0; i < step.born.size(); ++i) {
    if (outcomes[i + 1] == ports::WriteOutcome::committed)
      p_.observer->on_recorded({step.born[i].first, std::span(&step.born[i].second, 1), 1, at});
  }
}

/// After anything happened to an execution: tells who waits for its end, sets its alarm, lets it leave
/// memory.
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
  forget(active);
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
  closed_ = true;
}

}  // namespace fp::runtime

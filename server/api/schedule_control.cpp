#include "api/run_reply.hpp"
#include "api/scheduler.hpp"
#include "base/error_code.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

// What people, and failures, do to schedules.
namespace fp::api {

namespace {

constexpr std::uint64_t kMostCounted = 10'000;
constexpr const char* kLabel = "schedule";

Error no_schedule(std::string_view trigger) {
  return Error(codes::not_found,
               fmt::format("no published and enabled workflow has the schedule {} here", echo(trigger)));
}

}  // namespace

void Scheduler::load_states() {
  auto states = s_.store.list_schedule_states();
  const std::lock_guard lock(mutex_);
  for (auto& state : states) states_[{state.workflow, state.trigger}] = std::move(state);
}

ports::ScheduleState Scheduler::state_of(const Key& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(key);
  if (found != states_.end()) return found->second;
  ports::ScheduleState none;
  none.workflow = key.first;
  none.trigger = key.second;
  return none;
}

Result<Scheduler::View> Scheduler::find(const WorkflowId& workflow, const std::string& trigger) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find({workflow, trigger});
  if (found == entries_.end()) return no_schedule(trigger);
  return found->second.view;
}

Result<std::shared_ptr<const model::Workflow>> Scheduler::find_document(const WorkflowId& workflow,
                                                                        const std::string& trigger) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find({workflow, trigger});
  if (found == entries_.end()) return no_schedule(trigger);
  return found->second.document;
}

std::size_t Scheduler::count_paused() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const auto& entry) { return entry.second.view.state.is_paused; }));
}

void Scheduler::set_state(const Key& key, const ports::ScheduleState& said,
                          std::optional<triggers::Tick> next) {
  const std::lock_guard lock(mutex_);
  states_[key] = said;
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  queue_.erase({entry.due, key});
  entry.generation = ++generations_;  // what is being decided changes nothing any more
  entry.view.state = said;
  entry.view.waits = false;
  entry.view.next = next;
  entry.due =
      next ? triggers::with_jitter(entry.view.trigger, to_string(key.first), next->at) : TimePoint::max();
  queue_.insert({entry.due, key});
  changed_.notify_all();
}

Result<void> Scheduler::pause(ports::ScheduleState said) {
  const Key key{said.workflow, said.trigger};
  const auto view = find(key.first, key.second);
  if (!view) return view.error();
  said.is_paused = true;
  s_.store.put_schedule_state(said);
  set_state(key, said, std::nullopt);
  if (view->next && view->next->at <= said.changed_at)
    note(key, view->next->at, "skipped", "it was due, or waited, when the schedule was paused");
  return {};
}

Result<void> Scheduler::resume(ports::ScheduleState said) {
  const Key key{said.workflow, said.trigger};
  const auto view = find(key.first, key.second);
  if (!view) return view.error();
  if (!view->state.is_paused) return {};
  const auto& schedule = view->trigger.schedule;
  const auto now = said.changed_at;
  std::uint64_t count = 0;
  for (auto tick = triggers::find_next(schedule, view->state.changed_at);
       tick && tick->at <= now && count <= kMostCounted; tick = triggers::find_next(schedule, tick->at))
    ++count;
  if (count > 0) {
    const auto last = triggers::find_previous(schedule, now + Milliseconds(1));
    note(key, last->at, "skipped",
         fmt::format("{}{} ticks came while the schedule was paused",
                     count > kMostCounted ? "more than " : "", std::min(count, kMostCounted)));
  }
  said.is_paused = false;
  s_.store.put_schedule_state(said);
  set_state(key, said, triggers::find_next(schedule, now));
  return {};
}

void Scheduler::start_now(const CallPtr& call, Reply reply) {
  const Key key{call->id<WorkflowId>(), call->text("trigger")};
  const auto view = find(key.first, key.second);
  const auto document = find_document(key.first, key.second);
  if (!view || !document) return reply(no_schedule(key.second));
  // Ticks of the clock come on whole seconds, and this is none of them.
  auto now = s_.clock.now();
  if (now == std::chrono::floor<std::chrono::seconds>(now)) now += Milliseconds(1);
  auto request = make_start(s_, *document, {key.first, view->version}, "schedule",
                            make_value(triggers::make_tick_input(view->trigger, now)));
  request.tick = ports::TickRecord{key.first,  key.second, now,  "manual", "by " + call->subject.name,
                                   request.id, now,        false};
  request.started.labels = make_value(JsonObject{{kLabel, key.second}});
  request.idempotency = call->entry_for(request.id, now);
  if (const auto fits = model::check_input(**document, *request.started.input); !fits)
    return reply(fits.error());
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end()) {
      found->second.last_execution = request.id;
      found->second.knows_last = true;
      found->second.last_started = now;
    }
  }
  start_and_reply(s_, call, std::move(request), Milliseconds(0), std::move(reply));
}

void Scheduler::on_recorded(const runtime::Recorded& recorded) {
  const auto& state = recorded.state;
  if (state.trigger != "schedule" || !state.workflow_id) return;
  for (const auto& event : recorded.events) {
    const auto* ended = std::get_if<model::event::ExecutionEnded>(&event);
    if (ended == nullptr || ended->status != model::ExecutionStatus::failed) continue;
    const auto label = state.labels ? json_string(*state.labels, kLabel) : std::string();
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find({*state.workflow_id, label});
    if (found == entries_.end() || found->second.view.trigger.pause_after == 0) return;
    failed_.insert(found->first);
    changed_.notify_all();
  }
}

void Scheduler::judge_failures(const Key& key) {
  constexpr std::size_t kLookedAt = 1'000;
  const auto view = find(key.first, key.second);
  if (!view || view->state.is_paused || view->trigger.pause_after == 0) return;
  try {
    std::size_t failures = 0;
    std::optional<ExecutionId> newest;
    for (const auto& tick : s_.store.list_ticks(key.first, key.second, TimePoint::max(), kLookedAt)) {
      if (!tick.execution || tick.outcome == "backfilled") continue;
      if (tick.decided_at < view->state.changed_at) break;  // somebody has looked since
      const auto summary = s_.store.find_execution(*tick.execution);
      if (!summary || !ports::is_terminal_status(summary->status) || summary->status == "cancelled") continue;
      if (summary->status != "failed") break;
      if (!newest) newest = tick.execution;
      if (++failures == view->trigger.pause_after) break;
    }
    if (failures < view->trigger.pause_after) return;
    ports::ScheduleState said{key.first, key.second, true, "", "flowpilot", s_.clock.now(), newest};
    said.note = failures == 1 ? fmt::format("execution {} failed", to_string(*newest))
                              : fmt::format("{} executions in a row failed, the last is {}", failures,
                                            to_string(*newest));
    if (pause(said))
      log(LogLevel::warning, "a schedule was paused",
          {{"workflow", view->workflow_name}, {"trigger", key.second}, {"detail", said.note}});
  } catch (const Unavailable& unavailable) {
    log(LogLevel::error, "failures of a schedule can not be counted",
        {{"detail", unavailable.error().message}});
  }
}

}  // namespace fp::api

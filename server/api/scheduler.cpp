#include "api/scheduler.hpp"

#include "api/run_reply.hpp"
#include "base/error_code.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

namespace {

using triggers::Overlap;
using triggers::Tick;

constexpr Milliseconds kLook{1'000};        // the clock may have been changed
constexpr Milliseconds kAgain{500};         // while an execution is under way, or the server is full
constexpr Milliseconds kOnTime{60'000};     // older ticks are what catch_up is about
constexpr Milliseconds kMostStart{10'000};  // of a start on its way to the disk
constexpr std::size_t kKeptTicks = 1'000;
constexpr std::uint64_t kTrimEvery = 500;
constexpr const char* kLabel = "schedule";

std::string describe(const Error& error) {
  if (error.issues.empty()) return error.message;
  return fmt::format("{}: {} {}", error.message, error.issues.front().pointer, error.issues.front().message);
}

/// The last tick until `now` that came by the clock: those that people ask for say nothing about the ones
/// before them.
std::optional<TimePoint> find_last_decided(ports::Store& store, const WorkflowId& workflow,
                                           const std::string& trigger, TimePoint now) {
  constexpr std::size_t kPage = 100;
  auto before = now + Milliseconds(1);
  while (true) {
    const auto page = store.list_ticks(workflow, trigger, before, kPage);
    for (const auto& tick : page) {
      if (tick.outcome != "manual" && tick.outcome != "backfilled") return tick.tick;
    }
    if (page.size() < kPage) return std::nullopt;
    before = page.back().tick;
  }
}

bool is_queueing(const triggers::ScheduleTrigger& trigger) {
  return trigger.overlap == Overlap::queue_one || trigger.overlap == Overlap::queue_all;
}

}  // namespace

void Scheduler::take_up(const KnownWorkflow& workflow) {
  const auto& record = workflow.record;
  add(workflow, [&](const std::string& trigger) {
    // Whoever changed the workflow did so beside a scheduler that had decided everything until then.
    // What is said of the future was said before the clock was put back.
    const auto now = s_.clock.now();
    const auto last = find_last_decided(s_.store, record.id, trigger, now);
    if (record.updated_at > now) return last.value_or(now);
    return std::max(last.value_or(record.updated_at), record.updated_at);
  });
}

void Scheduler::start() {
  thread_ = std::thread([this] { run(); });
}

void Scheduler::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Scheduler::remember(const KnownWorkflow& workflow) {
  const auto& record = workflow.record;
  {
    const std::lock_guard lock(mutex_);
    const auto first = entries_.lower_bound({record.id, ""});
    const bool is_known = first != entries_.end() && first->first.first == record.id;
    // A draft was saved, or nothing of it is scheduled: ticks that are due stay due.
    if (is_known && workflow.is_live() && first->second.document->hash == workflow.published->hash) return;
    for (auto at = first; at != entries_.end() && at->first.first == record.id; at = entries_.erase(at))
      queue_.erase({at->second.due, at->first});
  }
  add(workflow, [now = s_.clock.now()](const std::string&) { return now; });
}

void Scheduler::add(const KnownWorkflow& workflow,
                    const std::function<TimePoint(const std::string& trigger)>& since) {
  const auto& record = workflow.record;
  if (!workflow.is_live()) return;
  for (auto& trigger : triggers::read_schedule_triggers(workflow.published->document)) {
    Key key{record.id, trigger.id};
    Entry entry;
    entry.document = workflow.published;
    entry.view.state = state_of(key);
    auto next =
        entry.view.state.is_paused ? std::nullopt : triggers::find_next(trigger.schedule, since(trigger.id));
    entry.view = {
        record.id, record.name, record.version, std::move(trigger), next, false, std::move(entry.view.state)};
    put(std::move(key), std::move(entry), next);
  }
}

std::optional<ExecutionId> Scheduler::find_last_execution(const WorkflowId& workflow,
                                                          const std::string& trigger) const {
  constexpr std::size_t kLookedAt = 100;
  for (const auto& tick : s_.store.list_ticks(workflow, trigger, TimePoint::max(), kLookedAt)) {
    if (tick.execution && tick.outcome != "backfilled") return tick.execution;
  }
  return std::nullopt;
}

void Scheduler::put(Key key, Entry entry, std::optional<Tick> next) {
  const std::lock_guard lock(mutex_);
  entry.view.next = next;
  entry.due =
      next ? triggers::with_jitter(entry.view.trigger, to_string(key.first), next->at) : TimePoint::max();
  entry.generation = ++generations_;
  if (const auto old = entries_.find(key); old != entries_.end()) queue_.erase({old->second.due, key});
  queue_.insert({entry.due, key});
  if (entry.view.trigger.pause_after > 0) failed_.insert(key);  // the last process may not have come to it
  entries_.insert_or_assign(std::move(key), std::move(entry));
  changed_.notify_all();
}

std::vector<Scheduler::View> Scheduler::list_troubled(std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<View> out;
  for (const auto& [key, entry] : entries_) {
    if (out.size() == limit) break;
    if (entry.view.state.is_paused || entry.view.missed_at) out.push_back(entry.view);
  }
  return out;
}

void Scheduler::run() {
  pthread_setname_np(pthread_self(), "scheduler");
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    while (!failed_.empty() && !is_stopping_) {
      const auto key = failed_.extract(failed_.begin()).value();
      lock.unlock();
      judge_failures(key);
      lock.lock();
    }
    const auto now = s_.clock.now();
    if (now < last_look_ - kOnTime) rewind(now);
    last_look_ = now;
    if (queue_.empty() || queue_.begin()->first > now) {
      const auto left = queue_.empty() ? kLook : std::min(kLook, queue_.begin()->first - now);
      changed_.wait_for(lock, std::max(left, Milliseconds(1)));
      continue;
    }
    const auto key = queue_.begin()->second;
    const auto entry = entries_.at(key);
    lock.unlock();
    try {
      process(key, entry, now);
    } catch (const Unavailable& unavailable) {
      log(LogLevel::error, "a schedule can not be decided", {{"detail", unavailable.error().message}});
      try_again(key, entry.generation, *entry.view.next);
    }
    lock.lock();
  }
}

/// The clock was put back: what it had been through, it goes through again. Ticks that started something have
/// their rows, and start nothing again. Needs mutex_.
void Scheduler::rewind(TimePoint now) {
  for (auto& [key, entry] : entries_) {
    if (entry.view.state.is_paused) continue;
    // It may have been a moment until this was noticed.
    const auto next = triggers::find_next(entry.view.trigger.schedule, now - 2 * kLook);
    if (!next || (entry.view.next && entry.view.next->at <= next->at)) continue;
    queue_.erase({entry.due, key});
    entry.generation = ++generations_;
    entry.view.next = next;
    entry.due = triggers::with_jitter(entry.view.trigger, to_string(key.first), next->at);
    queue_.insert({entry.due, key});
  }
}

void Scheduler::process(const Key& key, Entry entry, TimePoint now) {
  const auto next = fire_due(key, entry, now);
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(key);
  if (at == entries_.end() || at->second.generation != entry.generation) return;  // changed meanwhile
  auto& current = at->second;
  queue_.erase({current.due, key});
  current.knows_last = entry.knows_last;
  current.last_execution = entry.last_execution;
  current.last_started = entry.last_started;
  current.view.missed_at = entry.view.missed_at;
  // It waits, or those behind it that waited with it.
  const bool has_queue = is_queueing(entry.view.trigger) && entry.view.waits && next && next->at <= now;
  const bool is_same = next && entry.view.next && *next == *entry.view.next;
  current.view.waits = is_same || has_queue;
  current.view.next = next;
  current.due = TimePoint::max();
  if (next) current.due = triggers::with_jitter(current.view.trigger, to_string(key.first), next->at);
  if (is_same) current.due = now + kAgain;
  queue_.insert({current.due, key});
}

std::optional<Tick> Scheduler::fire_due(const Key& key, Entry& entry, TimePoint now) {
  const auto& trigger = entry.view.trigger;
  const auto tick = *entry.view.next;
  if (!std::exchange(entry.knows_last, true))
    entry.last_execution = find_last_execution(key.first, key.second);
  if (is_queueing(trigger) && is_running(entry)) return tick;
  if (trigger.overlap == Overlap::queue_one && entry.view.waits) {
    // One waited: the newest stands for those that came meanwhile.
    const auto newest = triggers::find_previous(trigger.schedule, now + Milliseconds(1)).value_or(tick);
    std::size_t merged = 0;
    for (auto one = tick; one.at < newest.at && merged < kKeptTicks; ++merged) {
      note(key, one.at, "merged", fmt::format("one execution for it and {}", to_rfc3339(newest.at)));
      one = triggers::find_next(trigger.schedule, one.at).value_or(newest);
    }
    fire(key, entry, newest, now);
    return triggers::find_next(trigger.schedule, newest.at);
  }
  if (now - tick.at <= kOnTime + trigger.jitter || entry.view.waits) {
    fire(key, entry, tick, now);
    return triggers::find_next(trigger.schedule, tick.at);
  }
  const auto plan = triggers::plan_due(trigger, tick, now);
  missed_ += plan.missed;
  if (plan.missed > 0) {
    entry.view.missed_at = plan.last_missed;
    note(key, plan.last_missed, "missed",
         fmt::format("{}{} ticks from {} on came while no server was there, or were left out by its clock",
                     plan.is_more ? "more than " : "", plan.is_more ? plan.missed - 1 : plan.missed,
                     to_rfc3339(tick.at)));
  }
  auto last = plan.last_missed;
  for (const auto& one : plan.fire) {
    fire(key, entry, one, now);
    last = one.at;
  }
  return triggers::find_next(trigger.schedule, last);
}

void Scheduler::fire(const Key& key, Entry& entry, Tick tick, TimePoint now) {
  entry.view.missed_at.reset();
  const auto overlap = entry.view.trigger.overlap;
  if (overlap == Overlap::skip && is_running(entry))
    return note(key, tick.at, "skipped", "the execution before it was still under way (overlap: skip)");
  if (overlap == Overlap::cancel_running && is_running(entry)) {
    s_.runtime.deliver(*entry.last_execution, engine::input::Cancel{"the next tick of its schedule is due"},
                       [](Result<void>) {});
  }
  start_execution(key, entry, tick, now);
}

/// The one it started last. One that is not on disk is on its way there, or was deleted long ago.
bool Scheduler::is_running(const Entry& entry) const {
  if (!entry.last_execution) return false;
  const auto found = s_.store.find_execution(*entry.last_execution);
  if (!found) return s_.clock.now() - entry.last_started < kMostStart;
  return !ports::is_terminal_status(found->status);
}

void Scheduler::note(const Key& key, TimePoint tick, std::string outcome, std::string reason) {
  s_.store.put_ticks(
      {{key.first, key.second, tick, std::move(outcome), std::move(reason), {}, s_.clock.now(), false}});
}

void Scheduler::start_execution(const Key& key, Entry& entry, Tick tick, TimePoint now) {
  const auto& trigger = entry.view.trigger;
  auto request = make_start(s_, entry.document, {key.first, entry.view.version}, "schedule",
                            make_value(triggers::make_tick_input(trigger, tick.at)));
  const bool is_late = now - tick.at > kOnTime + trigger.jitter;
  request.tick = ports::TickRecord{key.first, key.second, tick.at, is_late ? "late" : "fired",
                                   "",        request.id, now,     false};
  request.started.labels = make_value(JsonObject{{kLabel, key.second}});
  if (const auto fits = model::check_input(*entry.document, *request.started.input); !fits)
    return note(key, tick.at, "skipped", describe(fits.error()));
  entry.last_execution = request.id;
  entry.last_started = now;
  s_.runtime.start_execution(std::move(request), [this, key, tick, generation = entry.generation](
                                                     Result<const engine::ExecutionState*> begun) {
    if (begun || begun.error().code == codes::execution_duplicate.id) return;
    log(LogLevel::warning, "a scheduled start was put off",
        {{"workflow", to_string(key.first)},
         {"tick", to_rfc3339(tick.at)},
         {"detail", begun.error().message}});
    try_again(key, generation, tick);
  });
  if (++decided_ % kTrimEvery == 0) s_.store.trim_ticks(key.first, key.second, kKeptTicks);
}

/// The tick stays due, whatever its schedule went on to meanwhile: what is decided already starts nothing.
void Scheduler::try_again(const Key& key, std::uint64_t generation, Tick tick) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(key);
  if (at == entries_.end() || at->second.generation != generation) return;
  queue_.erase({at->second.due, key});
  at->second.generation = ++generations_;
  at->second.last_execution.reset();
  at->second.view.next = tick;
  at->second.due = s_.clock.now() + kAgain;
  queue_.insert({at->second.due, key});
}

std::vector<Scheduler::View> Scheduler::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<View> out;
  for (const auto& [key, entry] : entries_) out.push_back(entry.view);
  return out;
}

double Scheduler::lag_seconds() const {
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) return 0;
  const auto late = s_.clock.now() - queue_.begin()->first;
  return std::max(0.0, std::chrono::duration<double>(late).count());
}

}  // namespace fp::api

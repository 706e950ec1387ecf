#include "auditor.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "engine/codec.hpp"
#include "simulated_evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::simulation {

namespace ev = model::event;
using model::TaskStatus;

namespace {

/// Timers are heard within this, when nothing is in the way.
constexpr Milliseconds kLateness{2'000};

void require(bool holds, const Seen& seen, const std::string& what) {
  if (!holds)
    throw Violation(
        fmt::format("execution {} at event {}: {}", to_string(seen.state.id), seen.state.last_seq, what));
}

const model::TaskRef* task_of(const engine::Event& event) {
  return std::visit(
      [](const auto& e) -> const model::TaskRef* {
        if constexpr (requires { e.task; })
          return &e.task;
        else
          return nullptr;
      },
      event);
}

}  // namespace

std::string name_of(const engine::Event& event) {
  static const char* const kNames[] = {
      "started",      "items expanded", "attempt scheduled",    "attempt failed",
      "attempt lost", "task waiting",   "task completed",       "task failed",
      "task skipped", "task cancelled", "items ended",          "signal buffered",
      "signal taken", "failing",        "cancel requested",     "paused",
      "resumed",      "process died",   "compensation started", "reopened",
      "late result",  "ended",          "event taken"};
  static_assert(std::size(kNames) == std::variant_size_v<engine::Event>);
  return std::string("event ") + kNames[event.index()];
}

const Seen* Auditor::find(const ExecutionId& id) const {
  const auto found = seen_.find(id);
  return found == seen_.end() ? nullptr : &found->second;
}

void Auditor::on_durable(const ports::Batch& batch) {
  for (const auto& write : batch.executions) follow(write.id);
}

void Auditor::follow(const ExecutionId& id) {
  disk_.state().with([&](const store::MemoryState& disk) {
    const auto found = disk.executions.find(id);
    if (found == disk.executions.end()) return;
    const auto& execution = found->second;
    auto [place, is_new] = seen_.try_emplace(id);
    auto& seen = place->second;
    if (is_new) {
      seen.state = engine::make_state(id, workflows_.at(execution.summary.version_hash));
      seen.undisturbed_since = undisturbed_since_;
    }
    while (seen.rows < execution.rows.size()) take_row(seen, execution.rows[seen.rows], disk);
    check_state(seen);
  });
}

void Auditor::take_row(Seen& seen, const ports::JournalRow& row, const store::MemoryState& disk) {
  require(row.first_seq == seen.state.last_seq + 1, seen,
          fmt::format("the next row begins with event {}", row.first_seq));
  seen.chain = chain_hash(seen.chain, row.events);
  require(seen.chain == row.chain, seen, "the hash chain is broken");
  const auto read_blob = [&](const Json& reference) {
    return parse_trusted_json(disk.blobs.at(json_string(reference, "hash")));
  };
  const auto events = engine::decode_events(row.events, *seen.state.workflow, read_blob);
  require(events.size() == row.count, seen, "the row holds another number of events than it says");
  for (const auto& event : events) {
    tally_.count(name_of(event));
    if (trace_)
      fmt::print(stderr, "{} {} {} {} {}\n", to_rfc3339(row.at), to_string(seen.state.id).substr(24),
                 seen.state.last_seq + 1, name_of(event), row.events.substr(0, 300));
    check_event(seen, event, row.at);
    engine::apply(seen.state, event, row.at);
    note_event(seen, event, row.at);
  }
  seen.state.touched.clear();
  seen.last_process = process_;
  seen.texts.insert(hash_128(row.events));
  ++seen.rows;
  if (!dice_.one_in(8)) return;
  const auto text = engine::encode_state(seen.state);
  require(text == engine::encode_state(engine::decode_state(text, seen.state.workflow)), seen,
          "a snapshot loses something");
}

void Auditor::check_event(Seen& seen, const engine::Event& event, TimePoint at) {
  const auto& state = seen.state;
  if (model::is_terminal(state.status)) {
    const bool reopened = std::holds_alternative<ev::ExecutionReopened>(event) &&
                          state.status == model::ExecutionStatus::failed;
    require(reopened || std::holds_alternative<ev::LateResult>(event), seen,
            "something happened after its end: " + name_of(event));
    return;
  }
  const auto* ref = task_of(event);
  if (ref == nullptr || std::holds_alternative<ev::LateResult>(event)) return;
  require(state.has_task(*ref), seen, name_of(event) + " of a task that does not exist");
  const auto& task = state.task(*ref);
  require(!model::is_terminal(task.status), seen, name_of(event) + " of a task that has ended");
  if (ref->item != model::kNoItem)
    require(!model::is_terminal(state.steps[ref->step].task.status), seen,
            name_of(event) + " of an item whose step has ended");
  if (const auto* e = std::get_if<ev::AttemptScheduled>(&event)) {
    require(task.status != TaskStatus::running, seen, "a second attempt beside the first");
    require(e->attempt == task.attempt + 1, seen, "attempts are numbered with gaps");
    // A clock that was set back while an expression was asked for is no fault of ours.
    const bool early =
        task.status == TaskStatus::retrying && at < *task.due && undisturbed_since_ != TimePoint::max();
    require(!early, seen, "a retry before its time");
  }
  const auto* done = std::get_if<ev::TaskCompleted>(&event);
  if (done != nullptr && done->attempt > 0)
    require(task.status == TaskStatus::running && task.attempt == done->attempt, seen,
            "a result of another attempt was applied");
  if (done != nullptr && task.wait == model::WaitKind::delay && task.status == TaskStatus::waiting) {
    require(at >= *task.due, seen, "a delay ended early");
    const bool undisturbed = *task.due > std::max(seen.undisturbed_since, undisturbed_since_);
    require(!undisturbed || at <= *task.due + kLateness, seen,
            fmt::format("a delay ended {} late", to_display_text(at - *task.due)));
  }
  const auto* failed = std::get_if<ev::TaskFailed>(&event);
  const auto* retried = std::get_if<ev::AttemptFailed>(&event);
  const auto error = failed != nullptr ? failed->error : retried != nullptr ? retried->error : nullptr;
  const bool blamed = error && error->message.find(kSandboxStopped) != std::string::npos;
  require(!blamed, seen, "an orderly shutdown was recorded as a failure of an expression");
}

void Auditor::note_event(Seen& seen, const engine::Event& event, TimePoint at) {
  const auto& state = seen.state;
  if (state.paused) seen.last_paused_seq = state.last_seq;
  if (state.cancelling) seen.last_cancelled_seq = state.last_seq;
  if (model::is_terminal(state.status)) seen.last_terminal_seq = state.last_seq;
  if (std::holds_alternative<ev::ExecutionResumed>(event)) seen.undisturbed_since = at;
  if (const auto* buffered = std::get_if<ev::SignalBuffered>(&event))
    seen.tokens.insert(to_text(*buffered->payload));
  const auto* done = std::get_if<ev::TaskCompleted>(&event);
  if (done != nullptr && done->output && json_find(*done->output, "token") != nullptr)
    seen.tokens.insert(to_text(*done->output));
  const bool progress = done != nullptr || std::holds_alternative<ev::TaskFailed>(event) ||
                        std::holds_alternative<ev::AttemptFailed>(event) ||
                        std::holds_alternative<ev::ExecutionResumed>(event);
  if (progress) seen.deaths = 0;
  if (std::holds_alternative<ev::ProcessDied>(event)) {
    ++seen.deaths;
    require(!orderly_.contains(seen.last_process), seen, "a death was recorded after an orderly shutdown");
    require(seen.deaths <= 3, seen, "more than three processes in a row died of it and it was not set aside");
  }
  const auto* paused = std::get_if<ev::ExecutionPaused>(&event);
  if (paused == nullptr || !paused->error) return;
  tally_.count("quarantine");
  require(seen.deaths == 3, seen, fmt::format("it was set aside after {} deaths in a row", seen.deaths));
}

void Auditor::check_state(const Seen& seen) const {
  const auto& state = seen.state;
  std::uint32_t open = 0;
  std::set<std::pair<TimePoint, model::TaskRef>> timers;
  const auto note_timer = [&](const model::TaskState& task, model::TaskRef ref) {
    if (task.due && (task.status == TaskStatus::retrying || task.status == TaskStatus::waiting))
      timers.emplace(*task.due, ref);
  };
  for (const auto& step : state.workflow->steps) {
    const auto& now = state.steps[step.index];
    if (!step.is_compensation && !model::is_terminal(now.task.status)) ++open;
    note_timer(now.task, {step.index, model::kNoItem});
    if (!now.fan) continue;
    check_fan(seen, step);
    for (std::uint32_t i = 0; i < now.fan->tasks.size(); ++i) note_timer(now.fan->tasks[i], {step.index, i});
  }
  require(open == state.open_steps, seen,
          fmt::format("{} steps are open, but it counts {}", open, state.open_steps));
  if (model::is_terminal(state.status))
    return require(state.timers.empty(), seen, "it has ended and still has timers");
  auto kept = state.timers;
  std::erase_if(kept, [](const auto& timer) { return timer.second.step == model::kNoStep; });
  require(kept == timers, seen,
          fmt::format("its tasks are due {} times, but it has {} timers", timers.size(), kept.size()));
}

void Auditor::check_fan(const Seen& seen, const model::Step& step) const {
  const auto& fan = *seen.state.steps[step.index].fan;
  std::uint32_t active = 0;
  std::uint32_t ended = 0;
  for (const auto& task : fan.tasks) {
    if (task.is_active()) ++active;
    if (model::is_terminal(task.status)) ++ended;
  }
  require(active == fan.active, seen,
          fmt::format("{} items of {} are under way, but it counts {}", active, step.id, fan.active));
  require(ended == fan.ended, seen,
          fmt::format("{} items of {} have ended, but it counts {}", ended, step.id, fan.ended));
  require(active <= step.max_parallel, seen,
          fmt::format("{} items of {} at once; {} are allowed", active, step.id, step.max_parallel));
}

void Auditor::check_inputs(const ports::Batch& batch) {
  for (const auto& entry : batch.inbox) {
    tally_.count(entry.input.find("child_ended") != std::string::npos ? "command notify parent"
                                                                      : "command cancel child");
  }
  for (const auto& write : batch.executions) {
    if (write.snapshot) tally_.count("snapshot");
    if (!write.summary || !write.row || write.row->first_seq != 1) continue;
    if (write.summary->trigger == "parent") tally_.count("command start child");
    if (write.summary->trigger == "workflow") tally_.count("command start failure workflow");
  }
}

}  // namespace fp::simulation

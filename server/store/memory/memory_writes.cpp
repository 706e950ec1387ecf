#include "store/memory/memory_writes.hpp"

#include "store/memory/memory_events.hpp"
#include "store/write_rules.hpp"

#include <algorithm>
#include <tuple>

namespace fp::store {

using namespace fp::ports;

namespace {

std::optional<RecordedExecution> find_recorded(const MemoryState& state, const ExecutionId& id) {
  const auto found = state.executions.find(id);
  if (found == state.executions.end()) return std::nullopt;
  const auto& execution = found->second;
  return RecordedExecution{execution.number, execution.last_seq(), execution.summary.status,
                           execution.summary.round};
}

void apply_summary(MemoryState& state, const ExecutionSummary& summary) {
  auto [place, is_new] = state.executions.try_emplace(summary.id);
  auto& execution = place->second;
  if (is_new) {
    execution.number = state.next_execution++;
    execution.summary = summary;
    state.by_number.emplace(execution.number, summary.id);
    return;
  }
  auto& kept = execution.summary;
  kept.status = summary.status;
  kept.started_at = summary.started_at;
  kept.completed_at = summary.completed_at;
  kept.error_code = summary.error_code;
  kept.error_message = summary.error_message;
  kept.labels = summary.labels;
  kept.round = summary.round;
  kept.keep_until = summary.keep_until;
}

void set_wake(MemoryState& state, const ExecutionId& id, std::optional<TimePoint> wake) {
  auto& execution = state.executions.at(id);
  if (execution.wake) state.timers.erase({*execution.wake, execution.number, id});
  execution.wake = wake;
  if (wake) state.timers.insert({*wake, execution.number, id});
}

void append_log(MemoryExecution& execution, const ExecutionWrite& write) {
  if (write.log_lines.empty()) return;
  auto number = execution.last_line();
  LogBatch batch{execution.log.size() + 1, write.log_after_seq, write.log_lines};
  for (auto& line : batch.lines) line.number = ++number;
  execution.log.push_back(std::move(batch));
}

WriteOutcome apply_write(MemoryState& state, const ExecutionWrite& write) {
  const bool key_is_taken = (write.idempotency && state.keys.contains(write.idempotency->key)) ||
                            (write.tick && is_tick_taken(state, *write.tick));
  const auto recorded = find_recorded(state, write.id);
  const auto outcome = judge_write(write, recorded ? &*recorded : nullptr, key_is_taken);
  if (outcome != WriteOutcome::committed) return outcome;

  if (write.summary) apply_summary(state, *write.summary);
  if (const auto found = state.executions.find(write.id); found != state.executions.end()) {
    auto& execution = found->second;
    if (write.row) execution.rows.push_back(*write.row);
    if (write.wake_changed) set_wake(state, write.id, write.wake_after);
    if (write.snapshot) execution.snapshot = *write.snapshot;
    for (const auto& blob : write.blobs) execution.blobs.insert(blob.hash);
    append_log(execution, write);
  }
  if (write.sample) add_sample(state.rollups, *write.sample);
  if (write.idempotency) state.keys.emplace(write.idempotency->key, *write.idempotency);
  if (write.tick) add_tick(state, *write.tick);
  add_events(state, write);
  for (const auto number : write.consumed_inbox) state.inbox.erase(number);
  return outcome;
}

WriteOutcome apply_write(MemoryState& state, const WorkflowWrite& write) {
  const bool key_is_taken = write.idempotency && state.keys.contains(write.idempotency->key);
  std::optional<RecordedWorkflow> recorded;
  if (const auto found = state.workflows.find(write.record.id); found != state.workflows.end())
    recorded = RecordedWorkflow{found->second.revision, found->second.newest_version};
  const auto outcome = judge_write(write, recorded ? &*recorded : nullptr, key_is_taken);
  if (outcome != WriteOutcome::committed) return outcome;
  state.workflows.insert_or_assign(write.record.id, write.record);
  if (write.published)
    state.published.emplace(std::pair(write.record.id, write.published->number), *write.published);
  if (write.idempotency) state.keys.emplace(write.idempotency->key, *write.idempotency);
  return outcome;
}

}  // namespace

std::vector<WriteOutcome> apply_batch(MemoryState& state, const Batch& batch) {
  for (const auto& version : batch.versions) {
    if (state.versions.emplace(version.hash, version).second)
      state.hashes_by_name[version.name].push_back(version.hash);
  }
  for (auto entry : batch.inbox) {
    entry.number = state.next_inbox++;
    state.inbox.emplace(entry.number, std::move(entry));
  }
  std::vector<WriteOutcome> outcomes;
  outcomes.reserve(batch.executions.size() + batch.workflows.size());
  for (const auto& write : batch.executions) {
    outcomes.push_back(is_left_out(batch.executions, outcomes) ? WriteOutcome::conflict
                                                               : apply_write(state, write));
  }
  for (const auto& write : batch.workflows) outcomes.push_back(apply_write(state, write));
  return outcomes;
}

namespace {

void erase_execution(MemoryState& state, const ExecutionId& id) {
  set_wake(state, id, std::nullopt);
  std::erase_if(state.event_waits, [&](const auto& entry) { return entry.first.first == id; });
  std::erase_if(state.inbox, [&](const auto& entry) { return entry.second.execution == id; });
  state.by_number.erase(state.executions.at(id).number);
  state.executions.erase(id);
}

}  // namespace

std::size_t prune_executions(MemoryState& state, TimePoint now, TimePoint ended_before, std::size_t limit) {
  using Ended = std::vector<std::tuple<TimePoint, std::uint64_t, ExecutionId>>;
  Ended ended;
  Ended outlived;
  for (const auto& [id, execution] : state.executions) {
    const auto& summary = execution.summary;
    if (!is_terminal_status(summary.status)) continue;
    if (summary.keep_until) {
      if (*summary.keep_until < now) outlived.emplace_back(*summary.keep_until, execution.number, id);
    } else if (summary.completed_at && *summary.completed_at < ended_before) {
      ended.emplace_back(*summary.completed_at, execution.number, id);
    }
  }
  std::ranges::sort(ended);
  std::ranges::sort(outlived);
  ended.insert(ended.end(), outlived.begin(), outlived.end());
  if (ended.size() > limit) ended.resize(limit);
  for (const auto& [at, number, id] : ended) erase_execution(state, id);
  return ended.size();
}

std::size_t prune_keys(MemoryState& state, TimePoint before, std::size_t limit) {
  std::vector<std::pair<TimePoint, std::string>> old;
  for (const auto& [key, entry] : state.keys) {
    if (entry.at < before) old.emplace_back(entry.at, key);
  }
  std::ranges::sort(old);
  if (old.size() > limit) old.resize(limit);
  for (const auto& [at, key] : old) state.keys.erase(key);
  return old.size();
}

std::size_t prune_blobs(MemoryState& state, const BlobPins& pins) {
  std::set<std::string_view> referenced;
  for (const auto& [id, execution] : state.executions)
    referenced.insert(execution.blobs.begin(), execution.blobs.end());
  return std::erase_if(state.blobs, [&](const auto& blob) {
    return !referenced.contains(blob.first) && !pins.is_pinned(blob.first);
  });
}

}  // namespace fp::store

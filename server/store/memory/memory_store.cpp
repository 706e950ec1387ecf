#include "store/memory/memory_store.hpp"

#include "base/error_code.hpp"
#include "base/mutant.hpp"
#include "store/write_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::store {

using namespace fp::ports;

namespace {

std::optional<RecordedExecution> find_recorded(const MemoryState& state, const ExecutionId& id) {
  const auto found = state.executions.find(id);
  if (found == state.executions.end()) return std::nullopt;
  const auto& execution = found->second;
  const auto& status = execution.summary.status;
  return RecordedExecution{execution.number, execution.last_seq(), is_terminal_status(status) ? status : "",
                           execution.summary.round};
}

void apply_summary(MemoryState& state, const ExecutionSummary& summary) {
  auto [place, is_new] = state.executions.try_emplace(summary.id);
  auto& execution = place->second;
  if (is_new) {
    execution.number = state.next_execution++;
    execution.summary = summary;
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
}

void set_wake(MemoryState& state, const ExecutionId& id, std::optional<TimePoint> wake) {
  auto& execution = state.executions.at(id);
  if (execution.wake) state.timers.erase({*execution.wake, execution.number, id});
  execution.wake = wake;
  if (wake) state.timers.insert({*wake, execution.number, id});
}

WriteOutcome apply_write(MemoryState& state, const ExecutionWrite& write) {
  const bool key_is_taken = write.idempotency && state.keys.contains(write.idempotency->key);
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
    execution.log.insert(execution.log.end(), write.log_lines.begin(), write.log_lines.end());
  }
  if (write.idempotency) state.keys.emplace(write.idempotency->key, *write.idempotency);
  for (const auto number : write.consumed_inbox) state.inbox.erase(number);
  return outcome;
}

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
  outcomes.reserve(batch.executions.size());
  for (const auto& write : batch.executions) {
    outcomes.push_back(is_left_out(batch.executions, outcomes) ? WriteOutcome::conflict
                                                               : apply_write(state, write));
  }
  return outcomes;
}

bool matches(const ExecutionFilter& filter, const ExecutionSummary& summary) {
  return (!filter.status || *filter.status == summary.status) &&
         (!filter.workflow_name || *filter.workflow_name == summary.workflow_name) &&
         (!filter.unfinished_only || !is_terminal_status(summary.status));
}

void erase_execution(MemoryState& state, const ExecutionId& id) {
  set_wake(state, id, std::nullopt);
  std::erase_if(state.inbox, [&](const auto& entry) { return entry.second.execution == id; });
  state.executions.erase(id);
}

std::size_t prune_executions(MemoryState& state, TimePoint ended_before, std::size_t limit) {
  std::vector<std::tuple<TimePoint, std::uint64_t, ExecutionId>> ended;
  for (const auto& [id, execution] : state.executions) {
    const auto& summary = execution.summary;
    if (is_terminal_status(summary.status) && summary.completed_at && *summary.completed_at < ended_before) {
      ended.emplace_back(*summary.completed_at, execution.number, id);
    }
  }
  std::ranges::sort(ended);
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

}  // namespace

MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk, CommitHook hook)
    : disk_(std::move(disk)), hook_(std::move(hook)) {}

void MemoryStore::require_healthy() const {
  if (failed_)
    throw Unavailable(Error(codes::storage_io, "an earlier commit failed; open the store again to go on"));
}

Fence MemoryStore::claim_shard(std::uint32_t shard, std::string_view) {
  require_healthy();
  return disk_->state().with([&](MemoryState& state) { return Fence{shard, ++state.epochs[shard]}; });
}

Result<std::vector<WriteOutcome>> MemoryStore::commit(const Batch& batch) {
  require_healthy();
  try {
    if (hook_) hook_(CommitPhase::before, batch);
    auto outcomes = disk_->state().with([&](MemoryState& state) -> Result<std::vector<WriteOutcome>> {
      const auto epoch = state.epochs.find(batch.fence.shard);
      if (!FP_MUTANT("old owner may write") &&
          batch.fence.epoch != (epoch == state.epochs.end() ? 0 : epoch->second)) {
        return Error(codes::storage_fenced, fmt::format("shard {} has a newer owner", batch.fence.shard));
      }
      return apply_batch(state, batch);
    });
    if (outcomes && hook_) hook_(CommitPhase::after, batch);
    if (outcomes) {
      pins_.with([&](BlobPins& pins) {
        for (const auto& write : batch.executions) {
          for (const auto& blob : write.blobs) pins.release(blob.hash);
        }
      });
    }
    return outcomes;
  } catch (const Unavailable&) {
    failed_ = true;
    throw;
  }
}

std::optional<WorkflowVersion> MemoryStore::find_version(std::string_view hash) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<WorkflowVersion> {
    const auto found = state.versions.find(hash);
    if (found == state.versions.end()) return std::nullopt;
    return found->second;
  });
}

std::optional<WorkflowVersion> MemoryStore::find_version_by_name(std::string_view name) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<WorkflowVersion> {
    const auto named = state.hashes_by_name.find(name);
    if (named == state.hashes_by_name.end()) return std::nullopt;
    const WorkflowVersion* newest = nullptr;
    for (const auto& hash : named->second) {
      const auto& version = state.versions.find(hash)->second;
      if (!newest || version.created_at >= newest->created_at) newest = &version;
    }
    return *newest;
  });
}

std::optional<LoadedExecution> MemoryStore::load_execution(const ExecutionId& id, bool whole) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<LoadedExecution> {
    const auto found = state.executions.find(id);
    if (found == state.executions.end()) return std::nullopt;
    const auto& execution = found->second;
    LoadedExecution loaded{execution.summary, {}, {}, execution.wake};
    if (!whole) loaded.snapshot = execution.snapshot;
    const auto folded = loaded.snapshot ? loaded.snapshot->seq : 0;
    for (const auto& row : execution.rows) {
      if (row.first_seq > folded) loaded.rows.push_back(row);
    }
    return loaded;
  });
}

std::optional<ExecutionSummary> MemoryStore::find_execution(const ExecutionId& id) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<ExecutionSummary> {
    const auto found = state.executions.find(id);
    if (found == state.executions.end()) return std::nullopt;
    return found->second.summary;
  });
}

ExecutionPage MemoryStore::list_executions(const ExecutionFilter& filter, std::optional<ExecutionId> after,
                                           std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) {
    ExecutionPage page;
    auto at = after ? state.executions.lower_bound(*after) : state.executions.end();
    while (at != state.executions.begin()) {
      --at;
      if (!matches(filter, at->second.summary)) continue;
      if (page.items.size() == limit) {
        if (limit > 0) page.next = page.items.back().id;
        break;
      }
      page.items.push_back(at->second.summary);
    }
    return page;
  });
}

std::vector<DueExecution> MemoryStore::list_due(TimePoint until, std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) {
    std::vector<DueExecution> due;
    for (const auto& timer : state.timers) {
      if (timer.due > until || due.size() == limit) break;
      due.push_back({timer.id, timer.due});
    }
    return due;
  });
}

std::optional<TimePoint> MemoryStore::find_next_due(TimePoint after) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<TimePoint> {
    const auto next = state.timers.lower_bound({after + Milliseconds(1), 0, {}});
    if (next == state.timers.end()) return std::nullopt;
    return next->due;
  });
}

std::optional<IdempotencyEntry> MemoryStore::find_idempotency(std::string_view key) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<IdempotencyEntry> {
    const auto found = state.keys.find(key);
    if (found == state.keys.end()) return std::nullopt;
    return found->second;
  });
}

std::vector<InboxEntry> MemoryStore::list_inbox(std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) {
    std::vector<InboxEntry> entries;
    for (const auto& [number, entry] : state.inbox) {
      if (entries.size() == limit) break;
      entries.push_back(entry);
    }
    return entries;
  });
}

std::vector<StoredLogLine> MemoryStore::list_log(const ExecutionId& id, std::size_t offset,
                                                 std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) -> std::vector<StoredLogLine> {
    const auto found = state.executions.find(id);
    if (found == state.executions.end()) return {};
    const auto& log = found->second.log;
    const auto first = std::min(offset, log.size());
    const auto count = std::min(limit, log.size() - first);
    const auto start = log.begin() + static_cast<std::ptrdiff_t>(first);
    return {start, start + static_cast<std::ptrdiff_t>(count)};
  });
}

BlobRef MemoryStore::put_blob(std::string_view bytes) {
  BlobRef ref{to_hex(hash_256(bytes)), bytes.size()};
  pins_.with([&](BlobPins& pins) {
    pins.pin(ref.hash);
    disk_->state().with([&](MemoryState& state) { state.blobs.emplace(ref.hash, bytes); });
  });
  return ref;
}

Result<std::string> MemoryStore::load_blob(const BlobRef& ref) {
  return disk_->state().with([&](const MemoryState& state) -> Result<std::string> {
    const auto found = state.blobs.find(ref.hash);
    if (found == state.blobs.end()) {
      return Error(codes::blob_missing, fmt::format("the large value {} is gone", ref.hash));
    }
    if (found->second.size() != ref.size || to_hex(hash_256(found->second)) != ref.hash) {
      return Error(codes::blob_corrupt,
                   fmt::format("the large value {} does not match its checksum", ref.hash));
    }
    return found->second;
  });
}

PruneResult MemoryStore::prune(TimePoint ended_before, TimePoint keys_before, std::size_t limit) {
  require_healthy();
  PruneResult result;
  pins_.with([&](BlobPins& pins) {
    disk_->state().with([&](MemoryState& state) {
      result.executions = prune_executions(state, ended_before, limit);
      const auto keys = prune_keys(state, keys_before, limit);
      result.more = result.executions == limit || keys == limit;
      if (!result.more) result.blobs = prune_blobs(state, pins);
    });
    if (!result.more) pins.end_sweep();
  });
  return result;
}

std::vector<std::string> MemoryStore::check_integrity() {
  return {};
}

}  // namespace fp::store

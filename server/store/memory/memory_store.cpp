#include "store/memory/memory_store.hpp"

#include "base/error_code.hpp"
#include "base/mutant.hpp"
#include "store/memory/memory_writes.hpp"

#include <fmt/format.h>

namespace fp::store {

using namespace fp::ports;

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

std::optional<LoadedExecution> MemoryStore::load_execution(const ExecutionId& id, bool whole) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<LoadedExecution> {
    const auto found = state.executions.find(id);
    if (found == state.executions.end()) return std::nullopt;
    const auto& execution = found->second;
    LoadedExecution loaded{execution.summary, {}, {}, execution.log.size(), execution.wake};
    if (!whole) loaded.snapshot = execution.snapshot;
    const auto folded = loaded.snapshot ? loaded.snapshot->seq : 0;
    for (const auto& row : execution.rows) {
      if (row.first_seq > folded) loaded.rows.push_back(row);
    }
    return loaded;
  });
}

std::optional<JournalPage> MemoryStore::load_journal(const ExecutionId& id, std::uint64_t after,
                                                     std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<JournalPage> {
    const auto found = state.executions.find(id);
    if (found == state.executions.end()) return std::nullopt;
    const auto& rows = found->second.rows;
    JournalPage page{found->second.summary, 0, {}};
    if (!rows.empty()) page.events = rows.back().first_seq + rows.back().count - 1;
    if (after >= page.events) return page;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool begins_in_time = rows[i].first_seq <= after || rows[i].first_seq - after <= limit;
      const bool is_before = i + 1 < rows.size() && rows[i + 1].first_seq <= after + 1;
      const bool is_long_before = i + 2 < rows.size() && rows[i + 2].first_seq <= after + 1;
      if (limit > 0 && begins_in_time && !(is_before && is_long_before)) page.rows.push_back(rows[i]);
    }
    return page;
  });
}

std::optional<ExecutionSummary> MemoryStore::find_execution(const ExecutionId& id) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<ExecutionSummary> {
    const auto found = state.executions.find(id);
    if (found == state.executions.end()) return std::nullopt;
    return found->second.summary;
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

void MemoryStore::put_keys(const std::vector<IdempotencyEntry>& entries) {
  require_healthy();
  disk_->state().with([&](MemoryState& state) {
    for (const auto& entry : entries) state.keys.try_emplace(entry.key, entry).first->second.at = entry.at;
  });
}

void MemoryStore::put_task_types(const std::vector<TaskTypeRecord>& types) {
  require_healthy();
  disk_->state().with([&](MemoryState& state) {
    for (const auto& type : types) state.task_types[type.type] = type;
  });
}

std::vector<TaskTypeRecord> MemoryStore::list_task_types() {
  return disk_->state().with([](const MemoryState& state) {
    std::vector<TaskTypeRecord> types;
    for (const auto& [name, type] : state.task_types) types.push_back(type);
    return types;
  });
}

void MemoryStore::put_ticks(const std::vector<TickRecord>& ticks) {
  require_healthy();
  disk_->state().with([&](MemoryState& state) {
    for (const auto& tick : ticks) add_tick(state, tick);
  });
}

std::vector<TickRecord> MemoryStore::list_ticks(const WorkflowId& workflow, std::string_view trigger,
                                                TimePoint before, std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) {
    std::vector<TickRecord> out;
    auto at = state.ticks.lower_bound({workflow, std::string(trigger), before});
    while (at != state.ticks.begin() && out.size() < limit) {
      --at;
      if (at->second.workflow != workflow || at->second.trigger != trigger) break;
      out.push_back(at->second);
    }
    return out;
  });
}

void MemoryStore::trim_ticks(const WorkflowId& workflow, std::string_view trigger, std::size_t keep) {
  require_healthy();
  const auto old = list_ticks(workflow, trigger, TimePoint::max(), std::numeric_limits<std::size_t>::max());
  disk_->state().with([&](MemoryState& state) {
    for (std::size_t i = keep; i < old.size(); ++i)
      state.ticks.erase({workflow, old[i].trigger, old[i].tick});
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

PruneResult MemoryStore::prune(TimePoint now, TimePoint ended_before, TimePoint keys_before,
                               std::size_t limit) {
  require_healthy();
  PruneResult result;
  pins_.with([&](BlobPins& pins) {
    disk_->state().with([&](MemoryState& state) {
      result.executions = prune_executions(state, now, ended_before, limit);
      const auto keys =
          std::max(prune_keys(state, keys_before, limit), prune_events(state, keys_before, limit));
      prune_hook_requests(state, ended_before, limit);
      result.more = result.executions == limit || keys == limit;
      if (!result.more) result.blobs = prune_blobs(state, pins);
    });
    if (!result.more) pins.end_sweep();
  });
  return result;
}

Result<void> MemoryStore::back_up(const std::filesystem::path&) {
  return Error(codes::storage_io, "the memory store has no files that could be copied");
}

std::vector<std::string> MemoryStore::check_integrity() {
  return {};
}

}  // namespace fp::store

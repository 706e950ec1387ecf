#pragma once

#include "ports/store.hpp"
#include "store/sqlite/batch_totals.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/lineage.hpp"
#include "store/sqlite/recorded_cache.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fp::store {

/// The one connection that writes and checkpoints: SQLite before 3.51.3 can damage a file when one connection
/// resets the WAL at the instant another writes. Lives behind the lock of its store. After a failed write it
/// refuses every later one, because nobody knows what reached the disk; a sync is never tried twice.
class SqliteWriter {
 public:
  /// Claims are above `claim_above`, whatever the file says.
  explicit SqliteWriter(std::unique_ptr<Connection> connection, std::uint64_t claim_above = 0);
  SqliteWriter(const SqliteWriter&) = delete;
  SqliteWriter& operator=(const SqliteWriter&) = delete;

  ports::Fence claim_shard(std::uint32_t shard, std::string_view owner);
  Lineage lineage() { return find_lineage(*connection_); }
  Result<std::vector<ports::WriteOutcome>> commit(const ports::Batch& batch);

  /// Everything `work` does, in one transaction.
  void transact(const std::function<void(Connection&)>& work);
  void put_task_types(const std::vector<ports::TaskTypeRecord>& types);
  void put_ticks(const std::vector<ports::TickRecord>& ticks);
  void trim_ticks(const WorkflowId& workflow, std::string_view trigger, std::size_t keep);
  void put_hook_requests(const std::vector<ports::HookRequestRecord>& requests, std::size_t keep);
  void put_schedule_state(const ports::ScheduleState& state);
  void prune_hook_requests(TimePoint before, std::size_t limit);

  struct Chunk {
    std::size_t count = 0;
    bool more = false;
  };
  /// One transaction of at most `limit` executions and about 5,000 rows, so that commits do not wait for
  /// long.
  Chunk prune_executions(TimePoint now, TimePoint ended_before, std::size_t limit);
  Chunk prune_keys(TimePoint before, std::size_t limit);
  /// Gives free pages back to the file system, some at a time. Are there more?
  bool vacuum_some();

  /// Pages in the WAL that no checkpoint has moved yet.
  int checkpoint_backlog() const { return wal_pages_ - checkpointed_pages_; }
  /// Moves what it can without waiting for readers.
  void checkpoint();
  /// Empties the WAL for an orderly close; does nothing after a failure. Never throws.
  void close() noexcept;

 private:
  struct Ended {
    std::uint64_t number = 0;
    ExecutionId id;
    std::string status;
    const WorkflowKey* counted_as = nullptr;
  };

  template <class F>
  auto guard(F&& work);
  [[noreturn]] void refuse() const;
  bool owns(const ports::Fence& fence);
  ports::WriteOutcome write(const ports::ExecutionWrite& write, BatchTotals& totals);
  ports::WriteOutcome write(const ports::WorkflowWrite& write);
  WrittenExecution* find_recorded(const ExecutionId& id);
  WrittenExecution* write_summary(const ports::ExecutionSummary& summary, WrittenExecution* recorded,
                                  BatchTotals& totals);
  bool key_is_taken(const std::optional<ports::IdempotencyEntry>& entry);
  const WorkflowKey& key_of(const std::optional<WorkflowId>& workflow, std::string name);
  std::vector<Ended> list_ended(const sql::Query& query, TimePoint before, std::size_t limit);

  std::unique_ptr<Connection> connection_;
  std::uint64_t claim_above_;
  std::set<WorkflowKey> keys_;  // whose addresses the cache holds; as many as there are workflows
  RecordedCache cache_;
  Rollups rollups_;  // those written lately
  std::optional<Error> failure_;
  int wal_pages_ = 0;
  int checkpointed_pages_ = 0;
};

template <class F>
auto SqliteWriter::guard(F&& work) {
  if (failure_) refuse();
  try {
    return std::forward<F>(work)();
  } catch (const Unavailable& failed) {
    failure_ = failed.error();
    connection_->abandon();
    throw;
  }
}

}  // namespace fp::store

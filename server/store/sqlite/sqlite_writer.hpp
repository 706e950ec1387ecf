#pragma once

#include "ports/store.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/recorded_cache.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace fp::store {

/// The one connection that writes and checkpoints: SQLite before 3.51.3 can damage a file when one connection
/// resets the WAL at the instant another writes. Lives behind the lock of its store. After a failed write it
/// refuses every later one, because nobody knows what reached the disk; a sync is never tried twice.
class SqliteWriter {
 public:
  explicit SqliteWriter(std::unique_ptr<Connection> connection);
  SqliteWriter(const SqliteWriter&) = delete;
  SqliteWriter& operator=(const SqliteWriter&) = delete;

  ports::Fence claim_shard(std::uint32_t shard, std::string_view owner);
  Result<std::vector<ports::WriteOutcome>> commit(const ports::Batch& batch);

  struct Chunk {
    std::size_t count = 0;
    bool more = false;
  };
  /// One transaction of at most `limit` executions and about 5,000 rows, so that commits do not wait for
  /// long.
  Chunk prune_executions(TimePoint ended_before, std::size_t limit);
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
  template <class F>
  auto guard(F&& work);
  bool owns(const ports::Fence& fence);
  ports::WriteOutcome write(const ports::ExecutionWrite& write);
  RecordedExecution* find_recorded(const ExecutionId& id);
  RecordedExecution* write_summary(const ports::ExecutionSummary& summary, RecordedExecution* recorded);
  void write_parts(const ports::ExecutionWrite& write, RecordedExecution& recorded);
  bool key_is_taken(const ports::ExecutionWrite& write);

  std::unique_ptr<Connection> connection_;
  RecordedCache cache_;
  std::optional<Error> failure_;
  int wal_pages_ = 0;
  int checkpointed_pages_ = 0;
};

}  // namespace fp::store

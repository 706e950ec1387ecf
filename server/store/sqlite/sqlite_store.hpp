#pragma once

#include "ports/store.hpp"
#include "store/guarded.hpp"
#include "store/sqlite/blob_directory.hpp"
#include "store/sqlite/data_directory.hpp"
#include "store/sqlite/events.hpp"
#include "store/sqlite/reader_pool.hpp"
#include "store/sqlite/sqlite_writer.hpp"

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace fp::store {

enum class Durability {
  full,                       // a commit that returned survives a power cut
  loses_commits_on_power_cut  // only for the test that proves `full` matters, and for measurements
};

struct SqliteOptions {
  Durability durability = Durability::full;
  bool read_only = false;            // for `verify`: no lock, no migration; every writing verb throws
  Milliseconds busy_timeout{2'000};  // for a stranger (a SQLite shell) that holds the file
  std::size_t readers = 4;
  int wal_pages_before_checkpoint = 1024;  // 4 MiB
  std::string vfs;                         // for tests that inject faults
};

/// The embedded engine: one SQLite file in a data directory that one process owns. Thread-safe as
/// ports::Store asks. Guarantees what the port promises with WAL and synchronous=FULL. Checkpoints run on a
/// thread of the store, between commits, on the writer's connection.
class SqliteStore final : public ports::Store {
 public:
  /// Makes the directory and the file when they are missing and migrates an older file. Errors:
  /// storage.in_use, storage.newer, storage.corrupt, storage.readonly, storage.full, storage.io.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& directory,
                                                   SqliteOptions options = {});
  /// Empties the WAL into the file, unless a write failed.
  ~SqliteStore() override;

  /// A sentence for the operator when the database is not the one that was here before (an older copy,
  /// another one, a backup started in place). The next claim shuts out the owners of both.
  const std::optional<std::string>& open_warning() const { return open_warning_; }

  ports::Fence claim_shard(std::uint32_t shard, std::string_view owner) override;
  Result<std::vector<ports::WriteOutcome>> commit(const ports::Batch& batch) override;
  std::optional<ports::WorkflowVersion> find_version(std::string_view hash) override;
  std::optional<ports::NamedVersion> find_version_by_name(std::string_view name) override;
  std::optional<ports::LoadedExecution> load_execution(const ExecutionId& id, bool whole) override;
  std::optional<ports::JournalPage> load_journal(const ExecutionId& id, std::uint64_t after,
                                                 std::size_t limit) override;
  std::optional<ports::ExecutionSummary> find_execution(const ExecutionId& id) override;
  ports::ExecutionPage list_executions(const ports::ExecutionFilter& filter,
                                       std::optional<std::uint64_t> before, std::size_t limit) override;
  ports::ExecutionCount count_executions(const ports::ExecutionFilter& filter, std::uint64_t most) override;
  std::optional<ports::WorkflowRecord> find_workflow(const WorkflowId& id) override;
  ports::WorkflowPage list_workflows(const ports::WorkflowFilter& filter, std::optional<WorkflowId> after,
                                     std::size_t limit) override;
  std::optional<ports::PublishedVersion> find_published(const WorkflowId& id, std::uint32_t number) override;
  std::vector<ports::PublishedVersion> list_published(const WorkflowId& id,
                                                      std::optional<std::uint32_t> below,
                                                      std::size_t limit) override;
  std::vector<ports::HourlyRollup> list_rollups(const ports::RollupFilter& filter) override;
  std::map<std::string, std::uint64_t> count_by_status() override;
  std::vector<ports::DueExecution> list_due(TimePoint until, std::size_t limit) override;
  std::optional<TimePoint> find_next_due(TimePoint after) override;
  std::optional<ports::IdempotencyEntry> find_idempotency(std::string_view key) override;
  std::vector<ports::InboxEntry> list_inbox(std::size_t limit) override;
  ports::LogPage list_log(const ExecutionId& id, const ports::LogFilter& filter, std::size_t limit) override;
  std::vector<ports::LogBatch> list_log_batches(const ExecutionId& id, std::uint64_t after,
                                                std::size_t limit) override;
  void put_keys(const std::vector<ports::IdempotencyEntry>& entries) override;
  void put_task_types(const std::vector<ports::TaskTypeRecord>& types) override;
  std::vector<ports::TaskTypeRecord> list_task_types() override;
  void put_ticks(const std::vector<ports::TickRecord>& ticks) override;
  std::vector<ports::TickRecord> list_ticks(const WorkflowId& workflow, std::string_view trigger,
                                            TimePoint before, std::size_t limit) override;
  void trim_ticks(const WorkflowId& workflow, std::string_view trigger, std::size_t keep) override;
  ports::EventStore& events() override { return *events_; }
  void put_hook_requests(const std::vector<ports::HookRequestRecord>& requests, std::size_t keep) override;
  std::vector<ports::HookRequestRecord> list_hook_requests(const WorkflowId& workflow,
                                                           std::string_view trigger,
                                                           std::size_t limit) override;
  std::uint64_t last_hook_request() override;
  void put_schedule_state(const ports::ScheduleState& state) override;
  std::vector<ports::ScheduleState> list_schedule_states() override;
  ports::BlobRef put_blob(std::string_view bytes) override;
  Result<std::string> load_blob(const ports::BlobRef& ref) override;
  ports::PruneResult prune(TimePoint now, TimePoint ended_before, TimePoint keys_before,
                           std::size_t limit) override;
  Result<void> back_up(const std::filesystem::path& target) override;
  std::vector<std::string> check_integrity() override;

 private:
  using Writer = Guarded<SqliteWriter, FairMutex>;
  SqliteStore(DataDirectory directory, const SqliteOptions& options, std::unique_ptr<Writer> writer,
              std::vector<std::unique_ptr<Connection>> readers);
  void sweep_blobs(ports::PruneResult& result);
  Writer& writer();
  void keep_wal_short(int backlog);
  void run_checkpoints();

  DataDirectory directory_;
  SqliteOptions options_;
  BlobDirectory blobs_;
  std::unique_ptr<Writer> writer_;  // null when read-only
  std::unique_ptr<ReaderPool> readers_;
  std::unique_ptr<SqliteEventStore> events_;
  std::optional<std::string> open_warning_;
  std::mutex blobs_in_use_;  // held by a backup and by a sweep, so that none takes away what the other copies
  std::mutex wake_mutex_;
  std::condition_variable wake_;
  bool checkpoint_wanted_ = false;
  bool stopping_ = false;
  std::thread checkpoints_;
};

}  // namespace fp::store

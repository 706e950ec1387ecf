#pragma once

#include "ports/store.hpp"
#include "store/blob_pins.hpp"
#include "store/guarded.hpp"
#include "store/memory/memory_disk.hpp"
#include "store/memory/memory_events.hpp"

#include <atomic>
#include <functional>
#include <memory>

namespace fp::store {

enum class CommitPhase {
  before,  // nothing is written yet: throwing Unavailable here is a commit that failed
  after    // the batch is durable: throwing Unavailable here is an acknowledgement that got lost
};
using CommitHook = std::function<void(CommitPhase, const ports::Batch&)>;

/// The whole contract of ports::Store without a file: for tests and the simulator. A crash is simulated by
/// dropping the store and opening another one on the same disk. Thread-safe. After the hook threw, every
/// later write throws, as a real engine's would.
class MemoryStore final : public ports::Store {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>(),
                       CommitHook hook = {});

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
  ports::EventStore& events() override { return events_; }
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
  void require_healthy() const;

  std::shared_ptr<MemoryDisk> disk_;
  CommitHook hook_;
  Guarded<BlobPins> pins_;
  std::atomic<bool> failed_{false};
  MemoryEventStore events_{*disk_, [this] { require_healthy(); }};
};

}  // namespace fp::store

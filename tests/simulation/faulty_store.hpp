#pragma once

#include "dice.hpp"
#include "store/memory/memory_store.hpp"
#include "tally.hpp"

namespace fp::simulation {

/// The memory store on a disk that now and then can not be read, or takes no blob. Commits fail through its
/// hook.
class FaultyStore final : public ports::Store {
 public:
  FaultyStore(std::shared_ptr<store::MemoryDisk> disk, store::CommitHook hook, Dice& dice, Tally& tally)
      : store_(std::move(disk), std::move(hook)), dice_(dice), tally_(tally) {}
  /// From here on; a process that can not even start is no test.
  void begin_faults(const bool& calm) { calm_ = &calm; }

  ports::Fence claim_shard(std::uint32_t shard, std::string_view owner) override {
    return store_.claim_shard(shard, owner);
  }
  Result<std::vector<ports::WriteOutcome>> commit(const ports::Batch& batch) override {
    return store_.commit(batch);
  }
  std::optional<ports::WorkflowVersion> find_version(std::string_view hash) override {
    return store_.find_version(hash);
  }
  std::optional<ports::NamedVersion> find_version_by_name(std::string_view name) override {
    return store_.find_version_by_name(name);
  }
  std::optional<ports::LoadedExecution> load_execution(const ExecutionId& id, bool whole) override {
    maybe_fail("load");
    return store_.load_execution(id, whole);
  }
  std::optional<ports::JournalPage> load_journal(const ExecutionId& id, std::uint64_t after,
                                                 std::size_t limit) override {
    maybe_fail("load");
    return store_.load_journal(id, after, limit);
  }
  std::optional<ports::ExecutionSummary> find_execution(const ExecutionId& id) override {
    return store_.find_execution(id);
  }
  ports::ExecutionPage list_executions(const ports::ExecutionFilter& filter,
                                       std::optional<std::uint64_t> before, std::size_t limit) override {
    return store_.list_executions(filter, before, limit);
  }
  ports::ExecutionCount count_executions(const ports::ExecutionFilter& filter, std::uint64_t most) override {
    return store_.count_executions(filter, most);
  }
  std::optional<ports::WorkflowRecord> find_workflow(const WorkflowId& id) override {
    return store_.find_workflow(id);
  }
  ports::WorkflowPage list_workflows(const ports::WorkflowFilter& filter, std::optional<WorkflowId> after,
                                     std::size_t limit) override {
    return store_.list_workflows(filter, after, limit);
  }
  std::optional<ports::PublishedVersion> find_published(const WorkflowId& id, std::uint32_t number) override {
    return store_.find_published(id, number);
  }
  std::vector<ports::PublishedVersion> list_published(const WorkflowId& id,
                                                      std::optional<std::uint32_t> below,
                                                      std::size_t limit) override {
    return store_.list_published(id, below, limit);
  }
  std::vector<ports::HourlyRollup> list_rollups(const ports::RollupFilter& filter) override {
    return store_.list_rollups(filter);
  }
  std::map<std::string, std::uint64_t> count_by_status() override { return store_.count_by_status(); }
  std::vector<ports::DueExecution> list_due(TimePoint until, std::size_t limit) override {
    maybe_fail("list_due");
    return store_.list_due(until, limit);
  }
  std::optional<TimePoint> find_next_due(TimePoint after) override { return store_.find_next_due(after); }
  std::optional<ports::IdempotencyEntry> find_idempotency(std::string_view key) override {
    return store_.find_idempotency(key);
  }
  std::vector<ports::InboxEntry> list_inbox(std::size_t limit) override {
    maybe_fail("list_inbox");
    return store_.list_inbox(limit);
  }
  ports::LogPage list_log(const ExecutionId& id, const ports::LogFilter& filter, std::size_t limit) override {
    return store_.list_log(id, filter, limit);
  }
  std::vector<ports::LogBatch> list_log_batches(const ExecutionId& id, std::uint64_t after,
                                                std::size_t limit) override {
    return store_.list_log_batches(id, after, limit);
  }
  void put_keys(const std::vector<ports::IdempotencyEntry>& entries) override { store_.put_keys(entries); }
  void put_task_types(const std::vector<ports::TaskTypeRecord>& types) override {
    store_.put_task_types(types);
  }
  std::vector<ports::TaskTypeRecord> list_task_types() override { return store_.list_task_types(); }
  void put_ticks(const std::vector<ports::TickRecord>& ticks) override { store_.put_ticks(ticks); }
  std::vector<ports::TickRecord> list_ticks(const WorkflowId& workflow, std::string_view trigger,
                                            TimePoint before, std::size_t limit) override {
    return store_.list_ticks(workflow, trigger, before, limit);
  }
  void trim_ticks(const WorkflowId& workflow, std::string_view trigger, std::size_t keep) override {
    store_.trim_ticks(workflow, trigger, keep);
  }
  ports::EventStore& events() override { return store_.events(); }
  void put_hook_requests(const std::vector<ports::HookRequestRecord>& requests, std::size_t keep) override {
    store_.put_hook_requests(requests, keep);
  }
  std::vector<ports::HookRequestRecord> list_hook_requests(const WorkflowId& workflow,
                                                           std::string_view trigger,
                                                           std::size_t limit) override {
    return store_.list_hook_requests(workflow, trigger, limit);
  }
  std::uint64_t last_hook_request() override { return store_.last_hook_request(); }
  void put_schedule_state(const ports::ScheduleState& state) override { store_.put_schedule_state(state); }
  std::vector<ports::ScheduleState> list_schedule_states() override { return store_.list_schedule_states(); }
  ports::BlobRef put_blob(std::string_view bytes) override {
    maybe_fail("put_blob");
    return store_.put_blob(bytes);
  }
  Result<std::string> load_blob(const ports::BlobRef& ref) override { return store_.load_blob(ref); }
  ports::PruneResult prune(TimePoint now, TimePoint ended_before, TimePoint keys_before,
                           std::size_t limit) override {
    return store_.prune(now, ended_before, keys_before, limit);
  }
  Result<void> back_up(const std::filesystem::path& target) override { return store_.back_up(target); }
  std::vector<std::string> check_integrity() override { return store_.check_integrity(); }

 private:
  void maybe_fail(const char* verb) {
    if (calm_ == nullptr || *calm_ || !dice_.one_in(200)) return;
    tally_.count(std::string("fault storage failed in ") + verb);
    throw Unavailable(Error("storage.io", "planned: the storage failed", true));
  }

  store::MemoryStore store_;
  Dice& dice_;
  Tally& tally_;
  const bool* calm_ = nullptr;
};

}  // namespace fp::simulation

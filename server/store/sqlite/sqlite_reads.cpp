#include "store/sqlite/execution_lists.hpp"
#include "store/sqlite/logs.hpp"
#include "store/sqlite/reads.hpp"
#include "store/sqlite/rollups.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/sqlite/workflows.hpp"

// The reading verbs of SqliteStore: each takes a connection of the pool.
namespace fp::store {

using namespace fp::ports;

std::optional<WorkflowVersion> SqliteStore::find_version(std::string_view hash) {
  return readers_->with([&](Connection& reader) { return reads::find_version(reader, hash); });
}

std::optional<NamedVersion> SqliteStore::find_version_by_name(std::string_view name) {
  return readers_->with([&](Connection& reader) { return reads::find_version_by_name(reader, name); });
}

std::optional<LoadedExecution> SqliteStore::load_execution(const ExecutionId& id, bool whole) {
  return readers_->with([&](Connection& reader) { return reads::load_execution(reader, id, whole); });
}

std::optional<JournalPage> SqliteStore::load_journal(const ExecutionId& id, std::uint64_t after,
                                                     std::size_t limit) {
  return readers_->with([&](Connection& reader) { return reads::load_journal(reader, id, after, limit); });
}

std::optional<ExecutionSummary> SqliteStore::find_execution(const ExecutionId& id) {
  return readers_->with([&](Connection& reader) { return reads::find_execution(reader, id); });
}

ExecutionPage SqliteStore::list_executions(const ExecutionFilter& filter, std::optional<std::uint64_t> before,
                                           std::size_t limit) {
  return readers_->with(
      [&](Connection& reader) { return reads::list_executions(reader, filter, before, limit); });
}

ExecutionCount SqliteStore::count_executions(const ExecutionFilter& filter, std::uint64_t most) {
  return readers_->with([&](Connection& reader) { return reads::count_executions(reader, filter, most); });
}

std::optional<WorkflowRecord> SqliteStore::find_workflow(const WorkflowId& id) {
  return readers_->with([&](Connection& reader) { return reads::find_workflow(reader, id); });
}

WorkflowPage SqliteStore::list_workflows(const WorkflowFilter& filter, std::optional<WorkflowId> after,
                                         std::size_t limit) {
  return readers_->with(
      [&](Connection& reader) { return reads::list_workflows(reader, filter, after, limit); });
}

std::optional<PublishedVersion> SqliteStore::find_published(const WorkflowId& id, std::uint32_t number) {
  return readers_->with([&](Connection& reader) { return reads::find_published(reader, id, number); });
}

std::vector<PublishedVersion> SqliteStore::list_published(const WorkflowId& id,
                                                          std::optional<std::uint32_t> below,
                                                          std::size_t limit) {
  return readers_->with([&](Connection& reader) { return reads::list_published(reader, id, below, limit); });
}

std::vector<TickRecord> SqliteStore::list_ticks(const WorkflowId& workflow, std::string_view trigger,
                                                TimePoint before, std::size_t limit) {
  return readers_->with(
      [&](Connection& reader) { return reads::list_ticks(reader, workflow, trigger, before, limit); });
}

std::vector<TaskTypeRecord> SqliteStore::list_task_types() {
  return readers_->with([&](Connection& reader) { return reads::list_task_types(reader); });
}

std::vector<HourlyRollup> SqliteStore::list_rollups(const RollupFilter& filter) {
  return readers_->with([&](Connection& reader) { return reads::list_rollups(reader, filter); });
}

std::map<std::string, std::uint64_t> SqliteStore::count_by_status() {
  return readers_->with([&](Connection& reader) { return reads::count_by_status(reader); });
}

std::vector<DueExecution> SqliteStore::list_due(TimePoint until, std::size_t limit) {
  return readers_->with([&](Connection& reader) { return reads::list_due(reader, until, limit); });
}

std::optional<TimePoint> SqliteStore::find_next_due(TimePoint after) {
  return readers_->with([&](Connection& reader) { return reads::find_next_due(reader, after); });
}

std::optional<IdempotencyEntry> SqliteStore::find_idempotency(std::string_view key) {
  return readers_->with([&](Connection& reader) { return reads::find_idempotency(reader, key); });
}

std::vector<InboxEntry> SqliteStore::list_inbox(std::size_t limit) {
  return readers_->with([&](Connection& reader) { return reads::list_inbox(reader, limit); });
}

LogPage SqliteStore::list_log(const ExecutionId& id, const LogFilter& filter, std::size_t limit) {
  return readers_->with([&](Connection& reader) { return reads::list_log(reader, id, filter, limit); });
}

std::vector<LogBatch> SqliteStore::list_log_batches(const ExecutionId& id, std::uint64_t after,
                                                    std::size_t limit) {
  return readers_->with(
      [&](Connection& reader) { return reads::list_log_batches(reader, id, after, limit); });
}

}  // namespace fp::store

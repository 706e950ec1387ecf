#include "store/sqlite/sqlite_writer.hpp"

#include "base/error_code.hpp"
#include "base/failpoint.hpp"
#include "store/sqlite/events.hpp"
#include "store/sqlite/execution_rows.hpp"
#include "store/sqlite/workflows.hpp"
#include "store/write_rules.hpp"

#include <fmt/format.h>

namespace fp::store {

using namespace fp::ports;

namespace {

constexpr std::size_t kRememberedExecutions = 32'768;

}  // namespace

SqliteWriter::SqliteWriter(std::unique_ptr<Connection> connection, std::uint64_t claim_above)
    : connection_(std::move(connection)), claim_above_(claim_above), cache_(kRememberedExecutions) {
  const auto count_pages = [](void* self, sqlite3*, const char*, int pages) {
    auto& writer = *static_cast<SqliteWriter*>(self);
    if (pages < writer.wal_pages_) writer.checkpointed_pages_ = 0;  // the WAL began anew
    writer.wal_pages_ = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(connection_->handle(), count_pages, this);
}

void SqliteWriter::refuse() const {
  throw Unavailable(
      Error(failure_->code,
            fmt::format("an earlier write failed, so nothing more is accepted until the data is opened "
                        "again: {}",
                        failure_->message),
            failure_->retryable));
}

Fence SqliteWriter::claim_shard(std::uint32_t shard, std::string_view owner) {
  return guard([&] {
    connection_->use(sql::begin_write).run();
    connection_->use(sql::raise_epoch).bind(1, claim_above_).run();
    Fence fence{shard, 0};
    {
      auto statement = connection_->use(sql::claim_shard);
      statement.bind(1, std::int64_t{shard}).bind(2, owner).step();
      fence.epoch = statement.unsigned_integer(0);
    }
    connection_->use(sql::commit).run();
    return fence;
  });
}

void SqliteWriter::transact(const std::function<void(Connection&)>& work) {
  guard([&] {
    connection_->use(sql::begin_write).run();
    work(*connection_);
    connection_->use(sql::commit).run();
  });
}

void SqliteWriter::put_task_types(const std::vector<TaskTypeRecord>& types) {
  transact([&](Connection& connection) {
    for (const auto& type : types) {
      connection.use(sql::put_task_type)
          .bind(1, std::string_view(type.type))
          .bind(2, std::string_view(type.spec))
          .bind(3, type.registered_at)
          .run();
    }
  });
}

void SqliteWriter::put_ticks(const std::vector<TickRecord>& ticks) {
  transact([&](Connection& connection) {
    for (const auto& tick : ticks) add_tick(connection, tick);
  });
}

void SqliteWriter::trim_ticks(const WorkflowId& workflow, std::string_view trigger, std::size_t keep) {
  transact([&](Connection& connection) {
    connection.use(sql::trim_ticks)
        .bind(1, workflow)
        .bind(2, trigger)
        .bind(3, static_cast<std::uint64_t>(keep))
        .run();
  });
}

bool SqliteWriter::owns(const Fence& fence) {
  auto statement = connection_->use(sql::find_epoch);
  const bool known = statement.bind(1, std::int64_t{fence.shard}).step();
  return fence.epoch == (known ? statement.unsigned_integer(0) : 0);
}

Result<std::vector<WriteOutcome>> SqliteWriter::commit(const Batch& batch) {
  return guard([&]() -> Result<std::vector<WriteOutcome>> {
    connection_->use(sql::begin_write).run();
    if (!owns(batch.fence)) {
      connection_->use(sql::rollback).run();
      return Error(codes::storage_fenced,
                   fmt::format("shard {} has a newer owner than epoch {}; this process must stop "
                               "writing to it",
                               batch.fence.shard, batch.fence.epoch));
    }
    add_versions(*connection_, batch.versions);
    add_inbox(*connection_, batch.inbox);
    std::vector<WriteOutcome> outcomes;
    outcomes.reserve(batch.executions.size() + batch.workflows.size());
    BatchTotals totals;
    for (const auto& one : batch.executions) {
      outcomes.push_back(is_left_out(batch.executions, outcomes) ? WriteOutcome::conflict
                                                                 : write(one, totals));
    }
    for (const auto& one : batch.workflows) outcomes.push_back(write(one));
    totals.write(*connection_, rollups_);
    FP_FAILPOINT("commit.before");
    connection_->use(sql::commit).run();
    FP_FAILPOINT("commit.after");
    return outcomes;
  });
}

bool SqliteWriter::key_is_taken(const std::optional<IdempotencyEntry>& entry) {
  if (!entry) return false;
  return connection_->use(sql::find_idempotency).bind(1, std::string_view(entry->key)).step();
}

const WorkflowKey& SqliteWriter::key_of(const std::optional<WorkflowId>& workflow, std::string name) {
  std::string bytes;
  if (workflow) bytes.assign(workflow->bytes.begin(), workflow->bytes.end());
  return *keys_.insert({std::move(bytes), std::move(name)}).first;
}

WrittenExecution* SqliteWriter::find_recorded(const ExecutionId& id) {
  if (auto* known = cache_.find(id)) return known;
  auto statement = connection_->use(sql::find_recorded);
  if (!statement.bind(1, id).step()) return nullptr;
  WrittenExecution found;
  found.number = statement.unsigned_integer(0);
  found.status = statement.text(1);
  found.last_seq = statement.unsigned_integer(2);
  found.round = static_cast<std::uint32_t>(statement.integer(3));
  found.counted_as = &key_of(statement.optional_id<WorkflowId>(5), statement.text(4));
  return cache_.put(id, std::move(found));
}

WriteOutcome SqliteWriter::write(const ExecutionWrite& write, BatchTotals& totals) {
  auto* recorded = find_recorded(write.id);
  const bool is_repeated =
      key_is_taken(write.idempotency) || (write.tick && has_tick(*connection_, *write.tick));
  const auto outcome = judge_write(write, recorded, is_repeated);
  if (outcome != WriteOutcome::committed) return outcome;
  if (write.summary) recorded = write_summary(*write.summary, recorded, totals);
  if (recorded) {
    write_parts(*connection_, recorded->number, write);
    if (write.row) recorded->last_seq += write.row->count;
  }
  if (write.sample) totals.add(*write.sample);
  if (write.idempotency) add_idempotency(*connection_, *write.idempotency);
  if (write.tick) add_tick(*connection_, *write.tick);
  add_events(*connection_, write);
  for (const auto number : write.consumed_inbox)
    connection_->use(sql::delete_inbox_entry).bind(1, number).run();
  return outcome;
}

WrittenExecution* SqliteWriter::write_summary(const ExecutionSummary& summary, WrittenExecution* recorded,
                                              BatchTotals& totals) {
  if (recorded == nullptr) {
    WrittenExecution added;
    added.number = add_execution(*connection_, summary);
    added.counted_as = &key_of(summary.workflow, summary.workflow_name);
    recorded = cache_.put(summary.id, std::move(added));
  } else {
    update_execution(*connection_, recorded->number, summary);
    totals.count(*recorded->counted_as, recorded->status, -1);
  }
  totals.count(*recorded->counted_as, summary.status, 1);
  recorded->status = summary.status;
  recorded->round = summary.round;
  return recorded;
}

WriteOutcome SqliteWriter::write(const WorkflowWrite& write) {
  std::optional<RecordedWorkflow> recorded;
  {
    auto statement = connection_->use(sql::find_recorded_workflow);
    if (statement.bind(1, write.record.id).step())
      recorded = {statement.unsigned_integer(0), static_cast<std::uint32_t>(statement.integer(1))};
  }
  const auto outcome = judge_write(write, recorded ? &*recorded : nullptr, key_is_taken(write.idempotency));
  if (outcome != WriteOutcome::committed) return outcome;
  put_workflow(*connection_, write);
  if (write.idempotency) add_idempotency(*connection_, *write.idempotency);
  return outcome;
}

void SqliteWriter::checkpoint() {
  guard([&] {
    FP_FAILPOINT("checkpoint.before");
    int in_wal = 0;
    int moved = 0;
    const int code =
        sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);
    if ((code & 0xff) == SQLITE_BUSY) return;
    if (code != SQLITE_OK) connection_->fail(code);
    checkpointed_pages_ = moved;
  });
}

void SqliteWriter::close() noexcept {
  if (failure_) return;
  auto* handle = connection_->handle();
  const int code = sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code == SQLITE_OK)
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);  // removes the WAL
}

}  // namespace fp::store

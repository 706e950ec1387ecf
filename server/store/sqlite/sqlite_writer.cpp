#include "store/sqlite/sqlite_writer.hpp"

#include "base/error_code.hpp"
#include "base/failpoint.hpp"
#include "store/sqlite/rows.hpp"
#include "store/write_rules.hpp"

#include <fmt/format.h>

namespace fp::store {

using namespace fp::ports;

namespace {

constexpr std::size_t kRememberedExecutions = 32'768;
constexpr std::int64_t kRowsPerPruneChunk = 5'000;

void add_versions(Connection& connection, const std::vector<WorkflowVersion>& versions) {
  for (const auto& version : versions) {
    connection.use(sql::add_version)
        .bind(1, std::string_view(version.hash))
        .bind(2, std::string_view(version.name))
        .bind(3, std::string_view(version.document))
        .bind(4, version.created_at)
        .run();
  }
}

void add_inbox(Connection& connection, const std::vector<InboxEntry>& entries) {
  for (const auto& entry : entries) {
    connection.use(sql::add_inbox_entry)
        .bind(1, entry.execution)
        .bind(2, std::string_view(entry.input))
        .bind(3, entry.at)
        .run();
  }
}

void add_idempotency(Connection& connection, const IdempotencyEntry& entry) {
  connection.use(sql::add_idempotency_key)
      .bind(1, std::string_view(entry.key))
      .bind(2, std::span<const std::uint8_t>(entry.request))
      .bind(3, entry.execution)
      .bind(4, entry.at)
      .run();
}

void append_row(Connection& connection, std::uint64_t execution, const JournalRow& row) {
  connection.use(sql::append_journal_row)
      .bind(1, execution)
      .bind(2, row.first_seq)
      .bind(3, std::int64_t{row.count})
      .bind(4, row.at)
      .bind(5, std::span<const std::uint8_t>(row.chain))
      .bind(6, std::string_view(row.events))
      .run();
}

void put_snapshot(Connection& connection, std::uint64_t execution, const Snapshot& snapshot) {
  connection.use(sql::put_snapshot)
      .bind(1, execution)
      .bind(2, snapshot.seq)
      .bind(3, std::span<const std::uint8_t>(snapshot.chain))
      .bind(4, std::string_view(snapshot.state))
      .run();
}

void set_wake(Connection& connection, std::uint64_t execution, std::optional<TimePoint> wake) {
  if (wake) {
    connection.use(sql::put_timer).bind(1, execution).bind(2, *wake).run();
  } else {
    connection.use(sql::delete_timer).bind(1, execution).run();
  }
}

}  // namespace

SqliteWriter::SqliteWriter(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)), cache_(kRememberedExecutions) {
  const auto count_pages = [](void* self, sqlite3*, const char*, int pages) {
    auto& writer = *static_cast<SqliteWriter*>(self);
    if (pages < writer.wal_pages_) writer.checkpointed_pages_ = 0;  // the WAL began anew
    writer.wal_pages_ = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(connection_->handle(), count_pages, this);
}

template <class F>
auto SqliteWriter::guard(F&& work) {
  if (failure_) {
    throw Unavailable(
        Error(failure_->code,
              fmt::format("an earlier write failed, so nothing more is accepted until the data is opened "
                          "again: {}",
                          failure_->message),
              failure_->retryable));
  }
  try {
    return std::forward<F>(work)();
  } catch (const Unavailable& failed) {
    failure_ = failed.error();
    connection_->abandon();
    throw;
  }
}

Fence SqliteWriter::claim_shard(std::uint32_t shard, std::string_view owner) {
  return guard([&] {
    connection_->use(sql::begin_write).run();
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
    outcomes.reserve(batch.executions.size());
    for (const auto& one : batch.executions) {
      outcomes.push_back(is_left_out(batch.executions, outcomes) ? WriteOutcome::conflict : write(one));
    }
    FP_FAILPOINT("commit.before");
    connection_->use(sql::commit).run();
    FP_FAILPOINT("commit.after");
    return outcomes;
  });
}

bool SqliteWriter::key_is_taken(const ExecutionWrite& write) {
  if (!write.idempotency) return false;
  return connection_->use(sql::find_idempotency).bind(1, std::string_view(write.idempotency->key)).step();
}

RecordedExecution* SqliteWriter::find_recorded(const ExecutionId& id) {
  if (auto* known = cache_.find(id)) return known;
  auto statement = connection_->use(sql::find_recorded);
  if (!statement.bind(1, id).step()) return nullptr;
  auto status = statement.text(1);
  if (!is_terminal_status(status)) status.clear();
  return cache_.put(id, {statement.unsigned_integer(0), statement.unsigned_integer(2), std::move(status),
                         static_cast<std::uint32_t>(statement.integer(3))});
}

WriteOutcome SqliteWriter::write(const ExecutionWrite& write) {
  auto* recorded = find_recorded(write.id);
  const auto outcome = judge_write(write, recorded, key_is_taken(write));
  if (outcome != WriteOutcome::committed) return outcome;
  if (write.summary) recorded = write_summary(*write.summary, recorded);
  if (recorded) write_parts(write, *recorded);
  if (write.idempotency) add_idempotency(*connection_, *write.idempotency);
  for (const auto number : write.consumed_inbox)
    connection_->use(sql::delete_inbox_entry).bind(1, number).run();
  return outcome;
}

RecordedExecution* SqliteWriter::write_summary(const ExecutionSummary& summary, RecordedExecution* recorded) {
  const auto labels = to_text(summary.labels);
  const bool is_new = recorded == nullptr;
  if (is_new) {
    connection_->use(sql::add_execution)
        .bind(1, summary.id)
        .bind(2, std::string_view(summary.workflow_name))
        .bind(3, std::string_view(summary.version_hash))
        .bind(4, std::string_view(summary.status))
        .bind(5, std::string_view(summary.trigger))
        .bind(6, summary.started_at)
        .bind(7, summary.completed_at)
        .bind(8, std::string_view(summary.error_code))
        .bind(9, std::string_view(summary.error_message))
        .bind(10, std::string_view(labels))
        .bind(11, summary.parent)
        .bind(12, summary.retry_of)
        .bind(13, std::int64_t{summary.round})
        .run();
    recorded = cache_.put(summary.id, {static_cast<std::uint64_t>(connection_->last_row()), 0, {}, 0});
  } else {
    connection_->use(sql::update_execution)
        .bind(1, recorded->number)
        .bind(2, std::string_view(summary.status))
        .bind(3, summary.started_at)
        .bind(4, summary.completed_at)
        .bind(5, std::string_view(summary.error_code))
        .bind(6, std::string_view(summary.error_message))
        .bind(7, std::string_view(labels))
        .bind(8, std::int64_t{summary.round})
        .run();
  }
  recorded->terminal_status = is_terminal_status(summary.status) ? summary.status : "";
  recorded->round = summary.round;
  return recorded;
}

void SqliteWriter::write_parts(const ExecutionWrite& write, RecordedExecution& recorded) {
  const auto number = recorded.number;
  if (write.row) {
    append_row(*connection_, number, *write.row);
    recorded.last_seq += write.row->count;
  }
  if (write.wake_changed) set_wake(*connection_, number, write.wake_after);
  if (write.snapshot) put_snapshot(*connection_, number, *write.snapshot);
  for (const auto& blob : write.blobs) {
    connection_->use(sql::add_blob_ref)
        .bind(1, number)
        .bind(2, std::string_view(blob.hash))
        .bind(3, blob.size)
        .run();
  }
  if (!write.log_lines.empty()) {
    const auto lines = to_log_text(write.log_lines);
    connection_->use(sql::append_log_lines)
        .bind(1, number)
        .bind(2, std::uint64_t{write.log_lines.size()})
        .bind(3, std::string_view(lines))
        .run();
  }
}

SqliteWriter::Chunk SqliteWriter::prune_executions(TimePoint ended_before, std::size_t limit) {
  return guard([&] {
    connection_->use(sql::begin_write).run();
    std::vector<std::pair<std::uint64_t, ExecutionId>> ended;
    {
      auto statement = connection_->use(sql::list_ended);
      statement.bind(1, ended_before).bind(2, std::uint64_t{limit});
      while (statement.step()) ended.emplace_back(statement.unsigned_integer(0), statement.execution_id(1));
    }
    Chunk chunk{0, ended.size() == limit};
    std::int64_t rows = 0;
    for (const auto& [number, id] : ended) {
      if (rows >= kRowsPerPruneChunk) {
        chunk.more = true;
        break;
      }
      for (const auto* query : {&sql::prune_journal, &sql::prune_logs, &sql::prune_snapshot,
                                &sql::prune_timer, &sql::prune_blob_refs}) {
        connection_->use(*query).bind(1, number).run();
        rows += connection_->changes();
      }
      connection_->use(sql::prune_inbox).bind(1, id).run();
      FP_FAILPOINT("prune.mid");
      connection_->use(sql::prune_execution).bind(1, number).run();
      cache_.erase(id);
      ++chunk.count;
    }
    connection_->use(sql::commit).run();
    return chunk;
  });
}

SqliteWriter::Chunk SqliteWriter::prune_keys(TimePoint before, std::size_t limit) {
  return guard([&] {
    connection_->use(sql::prune_keys).bind(1, before).bind(2, std::uint64_t{limit}).run();
    const auto count = static_cast<std::size_t>(connection_->changes());
    return Chunk{count, count == limit};
  });
}

bool SqliteWriter::vacuum_some() {
  return guard([&] {
    const auto count_free = [&] {
      auto statement = connection_->use(sql::count_free_pages);
      statement.step();
      return statement.integer(0);
    };
    const auto before = count_free();
    if (before == 0) return false;
    connection_->execute(sql::vacuum_some);
    const auto left = count_free();
    return left > 0 && left < before;
  });
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

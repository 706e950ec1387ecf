#include "store/sqlite/execution_rows.hpp"

#include "store/sqlite/rows.hpp"

namespace fp::store {

using namespace fp::ports;

namespace {

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

namespace {

void write_idempotency(Connection& connection, const sql::Query& query, const IdempotencyEntry& entry) {
  connection.use(query)
      .bind(1, std::string_view(entry.key))
      .bind(2, std::span<const std::uint8_t>(entry.request))
      .bind(3, std::span<const std::uint8_t>(entry.subject))
      .bind(4, entry.at)
      .run();
}

}  // namespace

void add_idempotency(Connection& connection, const IdempotencyEntry& entry) {
  write_idempotency(connection, sql::add_idempotency_key, entry);
}

void put_idempotency(Connection& connection, const IdempotencyEntry& entry) {
  write_idempotency(connection, sql::put_idempotency_key, entry);
}

void add_tick(Connection& connection, const TickRecord& tick) {
  connection.use(tick.takes_over ? sql::take_over_tick : sql::add_tick)
      .bind(1, tick.workflow)
      .bind(2, std::string_view(tick.trigger))
      .bind(3, tick.tick)
      .bind(4, std::string_view(tick.outcome))
      .bind(5, std::string_view(tick.reason))
      .bind(6, tick.execution)
      .bind(7, tick.decided_at)
      .run();
}

bool has_tick(Connection& connection, const TickRecord& tick) {
  return connection.use(tick.takes_over ? sql::has_started_tick : sql::has_tick)
      .bind(1, tick.workflow)
      .bind(2, std::string_view(tick.trigger))
      .bind(3, tick.tick)
      .step();
}

std::uint64_t add_execution(Connection& connection, const ExecutionSummary& summary) {
  const auto labels = to_text(summary.labels);
  connection.use(sql::add_execution)
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
      .bind(14, summary.workflow)
      .bind(15, std::int64_t{summary.workflow_version})
      .bind(16, summary.keep_until)
      .run();
  return static_cast<std::uint64_t>(connection.last_row());
}

void update_execution(Connection& connection, std::uint64_t number, const ExecutionSummary& summary) {
  const auto labels = to_text(summary.labels);
  connection.use(sql::update_execution)
      .bind(1, number)
      .bind(2, std::string_view(summary.status))
      .bind(3, summary.started_at)
      .bind(4, summary.completed_at)
      .bind(5, std::string_view(summary.error_code))
      .bind(6, std::string_view(summary.error_message))
      .bind(7, std::string_view(labels))
      .bind(8, std::int64_t{summary.round})
      .bind(9, summary.keep_until)
      .run();
}

void write_parts(Connection& connection, std::uint64_t number, const ExecutionWrite& write) {
  if (write.row) append_row(connection, number, *write.row);
  if (write.wake_changed) set_wake(connection, number, write.wake_after);
  if (write.snapshot) put_snapshot(connection, number, *write.snapshot);
  for (const auto& blob : write.blobs) {
    connection.use(sql::add_blob_ref)
        .bind(1, number)
        .bind(2, std::string_view(blob.hash))
        .bind(3, blob.size)
        .run();
  }
  if (write.log_lines.empty()) return;
  const auto lines = to_log_text(write.log_lines);
  connection.use(sql::append_log_lines)
      .bind(1, number)
      .bind(2, std::uint64_t{write.log_lines.size()})
      .bind(3, std::string_view(lines))
      .bind(4, write.log_after_seq)
      .run();
}

}  // namespace fp::store

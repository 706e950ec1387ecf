#include "store/sqlite/reads.hpp"

#include "store/sqlite/rows.hpp"

#include <fmt/format.h>

namespace fp::store::reads {

using namespace fp::ports;

namespace {

JournalRow read_row(Statement& statement) {
  JournalRow row;
  row.first_seq = statement.unsigned_integer(0);
  row.count = static_cast<std::uint32_t>(statement.integer(1));
  row.at = statement.time(2);
  statement.copy_bytes(3, row.chain);
  row.events = statement.text(4);
  return row;
}

void load_rows(Connection& connection, std::uint64_t number, std::uint64_t after,
               std::vector<JournalRow>& rows) {
  auto statement = connection.use(sql::load_journal);
  statement.bind(1, number).bind(2, after);
  while (statement.step()) rows.push_back(read_row(statement));
}

std::optional<Snapshot> load_snapshot(Connection& connection, std::uint64_t number) {
  auto statement = connection.use(sql::load_snapshot);
  if (!statement.bind(1, number).step()) return std::nullopt;
  Snapshot snapshot;
  snapshot.seq = statement.unsigned_integer(0);
  statement.copy_bytes(1, snapshot.chain);
  snapshot.state = statement.text(2);
  return snapshot;
}

std::int64_t row_limit(std::size_t limit) {
  return static_cast<std::int64_t>(limit);
}

}  // namespace

std::optional<WorkflowVersion> find_version(Connection& connection, std::string_view hash) {
  auto statement = connection.use(sql::find_version);
  if (!statement.bind(1, hash).step()) return std::nullopt;
  return read_version(statement);
}

std::optional<LoadedExecution> load_execution(Connection& connection, const ExecutionId& id, bool whole) {
  connection.use(sql::begin_read).run();
  LoadedExecution loaded;
  std::uint64_t number = 0;
  {
    auto statement = connection.use(sql::find_execution);
    if (!statement.bind(1, id).step()) return std::nullopt;
    loaded.summary = read_summary(statement);
    number = statement.unsigned_integer(16);
  }
  if (!whole) loaded.snapshot = load_snapshot(connection, number);
  load_rows(connection, number, loaded.snapshot ? loaded.snapshot->seq : 0, loaded.rows);
  if (auto last = connection.use(sql::count_log_batches); last.bind(1, number).step())
    loaded.log_batches = last.unsigned_integer(0);
  auto timer = connection.use(sql::load_timer);
  if (timer.bind(1, number).step()) loaded.wake = timer.time(0);
  return loaded;
}

std::optional<JournalPage> load_journal(Connection& connection, const ExecutionId& id, std::uint64_t after,
                                        std::size_t limit) {
  connection.use(sql::begin_read).run();
  JournalPage page;
  std::uint64_t number = 0;
  {
    auto statement = connection.use(sql::find_execution);
    if (!statement.bind(1, id).step()) return std::nullopt;
    page.summary = read_summary(statement);
    number = statement.unsigned_integer(16);
  }
  if (auto last = connection.use(sql::count_events); last.bind(1, number).step())
    page.events = last.unsigned_integer(0);
  if (after >= page.events || limit == 0) return page;
  const auto end = limit < page.events - after ? after + limit : page.events;
  auto statement = connection.use(sql::load_journal_page);
  statement.bind(1, number).bind(2, after + 1).bind(3, end);
  while (statement.step()) page.rows.push_back(read_row(statement));
  return page;
}

std::optional<ExecutionSummary> find_execution(Connection& connection, const ExecutionId& id) {
  auto statement = connection.use(sql::find_execution);
  if (!statement.bind(1, id).step()) return std::nullopt;
  return read_summary(statement);
}

std::vector<DueExecution> list_due(Connection& connection, TimePoint until, std::size_t limit) {
  auto statement = connection.use(sql::list_due);
  statement.bind(1, until).bind(2, row_limit(limit));
  std::vector<DueExecution> due;
  while (statement.step()) due.push_back({statement.execution_id(0), statement.time(1)});
  return due;
}

std::optional<TimePoint> find_next_due(Connection& connection, TimePoint after) {
  auto statement = connection.use(sql::find_next_due);
  if (!statement.bind(1, after).step() || statement.is_null(0)) return std::nullopt;
  return statement.time(0);
}

std::optional<IdempotencyEntry> find_idempotency(Connection& connection, std::string_view key) {
  auto statement = connection.use(sql::find_idempotency);
  if (!statement.bind(1, key).step()) return std::nullopt;
  return read_idempotency(statement);
}

std::vector<InboxEntry> list_inbox(Connection& connection, std::size_t limit) {
  auto statement = connection.use(sql::list_inbox);
  statement.bind(1, row_limit(limit));
  std::vector<InboxEntry> entries;
  while (statement.step()) {
    entries.push_back(
        {statement.unsigned_integer(0), statement.execution_id(1), statement.text(2), statement.time(3)});
  }
  return entries;
}

bool is_blob_referenced(Connection& connection, const std::string& hash) {
  return connection.use(sql::is_blob_referenced).bind(1, std::string_view(hash)).step();
}

std::vector<BlobRef> list_blobs(Connection& connection) {
  auto statement = connection.use(sql::list_blobs);
  std::vector<BlobRef> refs;
  while (statement.step()) refs.push_back({statement.text(0), statement.unsigned_integer(1)});
  return refs;
}

std::vector<std::string> check_database(Connection& connection) {
  std::vector<std::string> found;
  connection.use(sql::begin_read).run();
  {
    auto statement = connection.use(sql::check_integrity);
    while (statement.step()) {
      if (auto sentence = statement.text(0); sentence != "ok") found.push_back(std::move(sentence));
    }
  }
  {
    auto statement = connection.use(sql::check_journals);
    while (statement.step()) {
      found.push_back(
          fmt::format("the journal of execution {} has a gap", to_string(statement.execution_id(0))));
    }
  }
  {
    auto statement = connection.use(sql::check_counts);
    if (statement.step() && statement.integer(0) > 0)
      found.push_back("executions are not counted as they are listed");
  }
  auto statement = connection.use(sql::check_strays);
  while (statement.step()) {
    if (statement.integer(1) == 0) continue;
    found.push_back(
        fmt::format("{} rows of table {} belong to no execution", statement.integer(1), statement.text(0)));
  }
  return found;
}

}  // namespace fp::store::reads

#include "base/failpoint.hpp"
#include "store/sqlite/batch_totals.hpp"
#include "store/sqlite/sqlite_writer.hpp"

#include <algorithm>

// Retention: what SqliteWriter deletes, a bounded chunk at a time.
namespace fp::store {

namespace {

constexpr std::int64_t kRowsPerPruneChunk = 5'000;

}  // namespace

std::vector<SqliteWriter::Ended> SqliteWriter::list_ended(const sql::Query& query, TimePoint before,
                                                          std::size_t limit) {
  std::vector<Ended> ended;
  auto statement = connection_->use(query);
  statement.bind(1, before).bind(2, std::uint64_t{limit});
  while (statement.step()) {
    ended.push_back({statement.unsigned_integer(0), statement.execution_id(1), statement.text(2),
                     &key_of(statement.optional_id<WorkflowId>(4), statement.text(3))});
  }
  return ended;
}

SqliteWriter::Chunk SqliteWriter::prune_executions(TimePoint now, TimePoint ended_before, std::size_t limit) {
  return guard([&] {
    connection_->use(sql::begin_write).run();
    auto ended = list_ended(sql::list_ended, ended_before, limit);
    for (auto& one : list_ended(sql::list_outlived, now, limit - ended.size()))
      ended.push_back(std::move(one));
    BatchTotals totals;
    Chunk chunk{0, ended.size() == limit};
    std::int64_t rows = 0;
    for (const auto& [number, id, status, counted_as] : ended) {
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
      connection_->use(sql::prune_event_waits).bind(1, id).run();
      FP_FAILPOINT("prune.mid");
      connection_->use(sql::prune_execution).bind(1, number).run();
      cache_.erase(id);
      totals.count(*counted_as, status, -1);
      ++chunk.count;
    }
    totals.write(*connection_, rollups_);
    connection_->use(sql::commit).run();
    return chunk;
  });
}

SqliteWriter::Chunk SqliteWriter::prune_keys(TimePoint before, std::size_t limit) {
  return guard([&] {
    connection_->use(sql::prune_keys).bind(1, before).bind(2, std::uint64_t{limit}).run();
    auto count = static_cast<std::size_t>(connection_->changes());
    connection_->use(sql::prune_events).bind(1, before).bind(2, std::uint64_t{limit}).run();
    count = std::max(count, static_cast<std::size_t>(connection_->changes()));
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

}  // namespace fp::store

#include "store/sqlite/logs.hpp"

#include "store/filter_rules.hpp"
#include "store/sqlite/rows.hpp"

#include <algorithm>
#include <ranges>

namespace fp::store::reads {

using namespace fp::ports;

namespace {

LogBatch read_batch(const Statement& row) {
  LogBatch batch{row.unsigned_integer(0), row.unsigned_integer(1), from_log_text(row.text(3))};
  auto number = row.unsigned_integer(2);
  for (auto& line : batch.lines) line.number = ++number;
  return batch;
}

}  // namespace

LogPage list_log(Connection& connection, const ExecutionId& id, const LogFilter& filter, std::size_t limit) {
  const LogMatcher matcher(filter);
  LogPage page;
  auto statement = connection.use(filter.newest ? sql::list_log_backwards : sql::list_log);
  statement.bind(1, id).bind(2, filter.after);
  const auto take = [&](StoredLogLine& line) {
    if (line.number <= filter.after || !matcher.fits(line)) return;
    page.more = page.lines.size() == limit;
    if (!page.more) page.lines.push_back(std::move(line));
  };
  const auto take_all = [&](auto&& lines) {
    for (auto& line : lines) {
      if (!page.more) take(line);
    }
  };
  while (!page.more && statement.step()) {
    auto batch = read_batch(statement);
    if (filter.newest) {
      take_all(batch.lines | std::views::reverse);
    } else {
      take_all(batch.lines);
    }
  }
  if (filter.newest) std::ranges::reverse(page.lines);
  return page;
}

std::vector<LogBatch> list_log_batches(Connection& connection, const ExecutionId& id, std::uint64_t after,
                                       std::size_t limit) {
  auto statement = connection.use(sql::list_log_batches);
  statement.bind(1, id).bind(2, after).bind(3, std::uint64_t{limit});
  std::vector<LogBatch> batches;
  while (statement.step()) batches.push_back(read_batch(statement));
  return batches;
}

}  // namespace fp::store::reads

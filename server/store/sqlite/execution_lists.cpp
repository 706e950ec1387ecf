#include "store/sqlite/execution_lists.hpp"

#include "store/filter_rules.hpp"
#include "store/sqlite/rows.hpp"

#include <algorithm>
#include <limits>

namespace fp::store::reads {

using namespace fp::ports;

namespace {

constexpr std::uint64_t kMostRows = 50'000;  // that one verb looks at
constexpr std::uint64_t kFromTheNewest = std::numeric_limits<std::int64_t>::max();

using Counts = std::map<std::string, std::uint64_t>;

Counts read_counts(Statement& statement) {
  Counts counts;
  while (statement.step()) {
    if (const auto count = statement.unsigned_integer(1); count > 0) counts[statement.text(0)] = count;
  }
  return counts;
}

Counts count_of_workflow(Connection& connection, const ExecutionQuery& query) {
  if (query.workflow) {
    auto statement = connection.use(sql::count_by_status_of_workflow);
    statement.bind(1, *query.workflow);
    return read_counts(statement);
  }
  auto statement = connection.use(sql::count_by_status_of_name);
  statement.bind(1, std::string_view(query.workflow_name));
  return read_counts(statement);
}

std::uint64_t sum_of(const Counts& counts, const std::vector<std::string>& statuses) {
  std::uint64_t sum = 0;
  for (const auto& [status, count] : counts) {
    if (statuses.empty() || std::ranges::find(statuses, status) != statuses.end()) sum += count;
  }
  return sum;
}

/// Which index to go along, and the conditions that it does not serve.
class Walk {
 public:
  Walk(Connection& connection, const ExecutionQuery& query) : connection_(connection), query_(query) {
    const bool by_workflow = query.workflow || !query.workflow_name.empty();
    const bool by_both = by_workflow && !query.statuses.empty();
    if (by_both) compare_counts();
    if (query.filter.parent) {
      index_ = &sql::walk_parent;
    } else if (query.filter.retry_of) {
      index_ = &sql::walk_retries;
    } else if (by_workflow && (!by_both || workflow_is_rarer_)) {
      index_ = query.workflow ? &sql::walk_workflow : &sql::walk_name;
    } else if (!query.statuses.empty()) {
      index_ = query.statuses.size() == 1 ? &sql::walk_status : &sql::walk_statuses;
    }
    for (const auto& status : query.statuses) statuses_ += "," + status;
    if (!statuses_.empty()) statuses_ += ",";
  }

  /// Do the counts say that nothing fits?
  bool is_in_vain() const { return is_in_vain_; }
  Statement use(const sql::Query& verb) { return connection_.use(*index_, verb); }
  /// Below which number to begin and how many rows to look at.
  void bind(Statement& statement, std::uint64_t before, std::uint64_t rows) const {
    statement.bind(1, before).bind(2, rows);
    bind_keys(statement);
  }
  /// What list_walk and count_walk want besides: the conditions, and how many rows that fit.
  void bind_conditions(Statement& statement, std::uint64_t most) const;

 private:
  /// Of workflow and status, which one narrows the list more? Both are counted.
  void compare_counts() {
    auto statement = connection_.use(sql::count_by_status);
    const auto of_all = read_counts(statement);
    const auto of_workflow = count_of_workflow(connection_, query_);
    workflow_is_rarer_ = sum_of(of_workflow, {}) < sum_of(of_all, query_.statuses);
    is_in_vain_ = sum_of(of_workflow, query_.statuses) == 0;
  }
  bool goes_by(const sql::Query& index) const { return index_ == &index; }

  void bind_keys(Statement& statement) const;

  Connection& connection_;
  const ExecutionQuery& query_;
  const sql::Query* index_ = &sql::walk_all;
  bool workflow_is_rarer_ = false;
  bool is_in_vain_ = false;
  std::string statuses_;  // `,failed,cancelled,`
};

void Walk::bind_keys(Statement& statement) const {
  if (goes_by(sql::walk_parent)) statement.bind(3, query_.filter.parent);
  if (goes_by(sql::walk_retries)) statement.bind(3, query_.filter.retry_of);
  if (goes_by(sql::walk_workflow)) statement.bind(3, query_.workflow);
  if (goes_by(sql::walk_name)) statement.bind(3, std::string_view(query_.workflow_name));
  if (goes_by(sql::walk_status)) statement.bind(3, std::string_view(query_.statuses.front()));
  if (!goes_by(sql::walk_statuses)) return;
  for (std::size_t i = 0; i < execution_statuses().size(); ++i) {
    const int at = 3 + static_cast<int>(i);
    if (i < query_.statuses.size()) {
      statement.bind(at, std::string_view(query_.statuses[i]));
    } else {
      statement.bind_null(at);
    }
  }
}

void Walk::bind_conditions(Statement& statement, std::uint64_t most) const {
  const auto& filter = query_.filter;
  const bool by_status = goes_by(sql::walk_status) || goes_by(sql::walk_statuses);
  // By reference: what is bound must outlive the statement.
  const auto unless = []<class T>(bool served, const std::optional<T>& value) -> const std::optional<T>& {
    static const std::optional<T> kNone;
    return served ? kNone : value;
  };
  statement.bind(10, most);
  statement.bind(11, unless(by_status, text_or_null(statuses_)));
  statement.bind(12, unless(goes_by(sql::walk_name), text_or_null(query_.workflow_name)));
  statement.bind(13, unless(goes_by(sql::walk_workflow), query_.workflow));
  statement.bind(14, text_or_null(filter.trigger));
  statement.bind(15, filter.since);
  statement.bind(16, filter.until);
  statement.bind(17, unless(goes_by(sql::walk_parent), filter.parent));
  statement.bind(18, unless(goes_by(sql::walk_retries), filter.retry_of));
  statement.bind(19, text_or_null(query_.label));
  statement.bind(20, text_or_null(query_.scalar_label));
  statement.bind(21, text_or_null(query_.text));
  statement.bind(22, text_or_null(query_.id_digits));
}

}  // namespace

ExecutionPage list_executions(Connection& connection, const ExecutionFilter& filter,
                              std::optional<std::uint64_t> before, std::size_t limit) {
  ExecutionPage page;
  const ExecutionQuery query(filter);
  if (limit == 0 || query.is_impossible) return page;
  connection.use(sql::begin_read).run();
  Walk walk(connection, query);
  if (walk.is_in_vain()) return page;
  const auto from = before.value_or(kFromTheNewest);
  const auto rows = std::max<std::uint64_t>(kMostRows, limit + 1);
  std::uint64_t last = 0;
  {
    auto statement = walk.use(sql::list_walk);
    walk.bind(statement, from, rows);
    walk.bind_conditions(statement, limit + 1);
    while (statement.step()) {
      if (page.items.size() == limit) {
        page.next = last;
        return page;
      }
      page.items.push_back(read_summary(statement));
      last = statement.unsigned_integer(16);
    }
  }
  // The walk came to its end: of the executions, or of what one page looks at?
  auto end = walk.use(sql::end_of_walk);
  walk.bind(end, from, rows);
  if (end.step() && end.unsigned_integer(0) == rows) page.next = end.unsigned_integer(1);
  return page;
}

ExecutionCount count_executions(Connection& connection, const ExecutionFilter& filter, std::uint64_t most) {
  const ExecutionQuery query(filter);
  if (query.is_impossible) return {};
  connection.use(sql::begin_read).run();
  if (query.is_counted()) {
    const bool by_workflow = query.workflow || !query.workflow_name.empty();
    const auto counts = by_workflow ? count_of_workflow(connection, query) : count_by_status(connection);
    return {sum_of(counts, query.statuses), true};
  }
  Walk walk(connection, query);
  if (walk.is_in_vain()) return {};
  ExecutionCount counted;
  {
    auto statement = walk.use(sql::count_walk);
    walk.bind(statement, kFromTheNewest, kMostRows);
    walk.bind_conditions(statement, most + 1);
    if (statement.step()) counted.count = statement.unsigned_integer(0);
  }
  if (counted.count > most) return {most, false};
  auto end = walk.use(sql::end_of_walk);
  walk.bind(end, kFromTheNewest, kMostRows);
  counted.is_exact = end.step() && end.unsigned_integer(0) < kMostRows;
  return counted;
}

std::map<std::string, std::uint64_t> count_by_status(Connection& connection) {
  auto statement = connection.use(sql::count_by_status);
  return read_counts(statement);
}

}  // namespace fp::store::reads

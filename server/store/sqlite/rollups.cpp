#include "store/sqlite/rollups.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace fp::store {

using namespace fp::ports;

namespace {

constexpr std::size_t kMostKnown = 2'000;

[[noreturn]] void throw_damaged() {
  throw Unavailable(Error(codes::storage_corrupt, "a rollup row is damaged; restore a backup"));
}

template <class T>
T take_number(std::string_view& text, char after) {
  T value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc()) throw_damaged();
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.empty() ? after == ':' : text.front() != after) throw_damaged();
  if (!text.empty()) text.remove_prefix(1);
  return value;
}

HourlyRollup read_rollup(const Statement& row) {
  HourlyRollup rollup;
  rollup.workflow = row.text(0);
  rollup.step = row.text(1);
  rollup.hour = row.time(2);
  rollup.completed = row.unsigned_integer(3);
  rollup.failed = row.unsigned_integer(4);
  rollup.cancelled = row.unsigned_integer(5);
  rollup.retries = row.unsigned_integer(6);
  rollup.duration = histogram_from(row.text(7));
  rollup.queue_wait = histogram_from(row.text(8));
  return rollup;
}

std::optional<HourlyRollup> find_rollup(Connection& connection, const RollupKey& key) {
  auto statement = connection.use(sql::find_rollup);
  statement.bind(1, std::string_view(key.workflow)).bind(2, key.hour).bind(3, std::string_view(key.step));
  if (!statement.step()) return std::nullopt;
  return read_rollup(statement);
}

void put_rollup(Connection& connection, const HourlyRollup& rollup) {
  const auto duration = to_text(rollup.duration);
  const auto queue_wait = to_text(rollup.queue_wait);
  connection.use(sql::put_rollup)
      .bind(1, std::string_view(rollup.workflow))
      .bind(2, rollup.hour)
      .bind(3, std::string_view(rollup.step))
      .bind(4, rollup.completed)
      .bind(5, rollup.failed)
      .bind(6, rollup.cancelled)
      .bind(7, rollup.retries)
      .bind(8, std::string_view(duration))
      .bind(9, std::string_view(queue_wait))
      .run();
}

}  // namespace

std::string to_text(const DurationHistogram& histogram) {
  std::string text;
  for (const auto& [bucket, count] : histogram.buckets) {
    if (!text.empty()) text += ',';
    fmt::format_to(std::back_inserter(text), "{}:{}", bucket, count);
  }
  return text;
}

DurationHistogram histogram_from(std::string_view text) {
  DurationHistogram histogram;
  while (!text.empty()) {
    const auto bucket = take_number<std::uint16_t>(text, ':');
    const auto count = take_number<std::uint64_t>(text, ',');
    histogram.buckets.emplace_hint(histogram.buckets.end(), bucket, count);
  }
  return histogram;
}

void add_rollups(Connection& writer, const Rollups& rollups, Rollups& known) {
  if (known.size() > kMostKnown) known.clear();
  for (const auto& [key, rollup] : rollups) {
    const auto [place, is_new] = known.try_emplace(key);
    auto& sum = place->second;
    if (is_new) sum = find_rollup(writer, key).value_or(HourlyRollup{key.workflow, key.step, key.hour});
    merge(sum, rollup);
    put_rollup(writer, sum);
  }
}

std::vector<HourlyRollup> reads::list_rollups(Connection& connection, const RollupFilter& filter) {
  const bool one = !filter.workflow.empty();
  const auto& all = filter.with_steps ? sql::list_rollups_with_steps : sql::list_rollups;
  auto statement = connection.use(one ? sql::list_rollups_of_workflow : all);
  statement.bind(1, filter.since).bind(2, filter.until);
  if (one) statement.bind(3, std::string_view(filter.workflow)).bind(4, std::int64_t{filter.with_steps});
  std::vector<HourlyRollup> rollups;
  while (statement.step()) rollups.push_back(read_rollup(statement));
  return rollups;
}

}  // namespace fp::store

#include "store/sqlite/rows.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"

#include <boost/json/parse.hpp>

namespace fp::store {

using namespace fp::ports;

ExecutionSummary read_summary(const Statement& row) {
  ExecutionSummary summary;
  summary.id = row.execution_id(0);
  summary.workflow_name = row.text(1);
  summary.version_hash = row.text(2);
  summary.status = row.text(3);
  summary.trigger = row.text(4);
  summary.started_at = row.time(5);
  summary.completed_at = row.optional_time(6);
  summary.error_code = row.text(7);
  summary.error_message = row.text(8);
  summary.labels = parse_trusted_json(row.text(9));
  summary.parent = row.optional_id<ExecutionId>(10);
  summary.retry_of = row.optional_id<ExecutionId>(11);
  summary.round = static_cast<std::uint32_t>(row.integer(12));
  summary.workflow = row.optional_id<WorkflowId>(13);
  summary.workflow_version = static_cast<std::uint32_t>(row.integer(14));
  summary.keep_until = row.optional_time(15);
  return summary;
}

WorkflowVersion read_version(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2), row.time(3)};
}

IdempotencyEntry read_idempotency(const Statement& row) {
  IdempotencyEntry entry;
  entry.key = row.text(0);
  row.copy_bytes(1, entry.request);
  row.copy_bytes(2, entry.subject);
  entry.at = row.time(3);
  return entry;
}

std::string to_log_text(const std::vector<StoredLogLine>& lines) {
  JsonArray list;
  list.reserve(lines.size());
  for (const auto& stored : lines) {
    list.push_back(JsonArray{stored.step, stored.index, stored.attempt,
                             stored.line.at.time_since_epoch().count(), stored.line.level, stored.line.text});
  }
  return to_text(list);
}

std::vector<StoredLogLine> from_log_text(std::string_view text) {
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;
  boost::system::error_code failed;
  const auto list = boost::json::parse(text, failed, {}, options);
  if (failed)
    throw Unavailable(Error(codes::storage_corrupt, "a row of the log is damaged; restore a backup"));
  std::vector<StoredLogLine> lines;
  for (const auto& item : list.as_array()) {
    const auto& fields = item.as_array();
    StoredLogLine stored;
    stored.step = fields.at(0).as_string();
    stored.index = fields.at(1).as_int64();
    stored.attempt = fields.at(2).to_number<std::uint32_t>();
    stored.line.at = TimePoint(Milliseconds(fields.at(3).as_int64()));
    stored.line.level = fields.at(4).as_string();
    stored.line.text = fields.at(5).as_string();
    lines.push_back(std::move(stored));
  }
  return lines;
}

}  // namespace fp::store

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "tasks/blocking_handler.hpp"
#include "tasks/network.hpp"
#include "tasks/sql_call.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::tasks {

namespace {

constexpr std::size_t kMostBytes = 16u << 20;

Result<SqlCall> read_call(const Json& config) {
  if (json_find(config, "credential") != nullptr) {
    return Error(codes::credential_unavailable, fmt::format("there is no credential store here for \"{}\"",
                                                            json_string(config, "credential")));
  }
  SqlCall call;
  call.url = json_string(config, "url");
  call.query = json_string(config, "query");
  if (const auto* params = json_find(config, "params")) call.params = *params;
  const auto mode = json_string(config, "mode");
  if (mode == "one") call.mode = SqlCall::Mode::one;
  if (mode == "execute") call.mode = SqlCall::Mode::execute;
  if (const auto most = json_int(config, "max_rows")) call.max_rows = static_cast<std::size_t>(*most);
  return call;
}

}  // namespace

Error SqlContext::make_over_error() const {
  if (control.is_cancelled()) return {codes::task_cancelled, "the query was stopped"};
  return {codes::sql_timeout, "the statement took longer than timeout_seconds"};
}

void SqlRows::set_columns(const std::vector<std::string>& names) {
  columns_.clear();
  for (const auto& name : names) {
    std::string unique = name;
    for (int number = 2; std::find(columns_.begin(), columns_.end(), unique) != columns_.end(); ++number)
      unique = fmt::format("{}_{}", name, number);
    columns_.push_back(std::move(unique));
  }
}

Result<void> SqlRows::add(JsonObject row) {
  if (call_.mode == SqlCall::Mode::execute) return {};
  if (call_.mode == SqlCall::Mode::one && !rows_.empty())
    return Error(codes::sql_rows, "the query gave more than one row; mode: one takes one at most");
  if (rows_.size() == call_.max_rows)
    return Error(codes::sql_rows, fmt::format("the query gave more than {} rows", call_.max_rows));
  Json value(std::move(row));
  weight_ += json_weight(value);
  if (weight_ > kMostBytes) return Error(codes::sql_rows, "the rows are larger than 16 MiB together");
  rows_.push_back(std::move(value));
  return {};
}

Json SqlRows::to_output(std::int64_t affected) {
  const auto count =
      call_.mode == SqlCall::Mode::execute ? affected : static_cast<std::int64_t>(rows_.size());
  JsonObject out;
  if (call_.mode == SqlCall::Mode::one) out["row"] = rows_.empty() ? Json(nullptr) : rows_.front();
  out["rows"] = std::move(rows_);
  out["row_count"] = count;
  return Json(std::move(out));
}

std::unique_ptr<ports::TaskHandler> make_sql_query_handler(std::shared_ptr<Network> network,
                                                           const Clock& clock,
                                                           std::filesystem::path data_dir) {
  model::TaskTypeSpec spec;
  spec.type = "sql_query";
  spec.title = "SQL query";
  spec.category = "data";
  spec.icon = "database";
  spec.description = "Runs one statement on SQLite or PostgreSQL; parameters are bound, never spliced.";
  spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["query"],
    "properties": {
      "url": {"type": "string", "description": "sqlite:///relative.db, sqlite:////absolute.db or postgresql://user:password@host/database"},
      "credential": {"type": "string", "description": "Name of a stored credential"},
      "query": {"type": "string", "minLength": 1, "maxLength": 1000000, "description": "One statement"},
      "params": {"type": ["array", "object"], "description": "A list for ? or $1, an object for :name"},
      "mode": {"enum": ["rows", "one", "execute"], "default": "rows", "description": "All rows, one row at most, or only how many were changed"},
      "max_rows": {"type": "integer", "minimum": 1, "maximum": 1000000, "default": 10000}},
    "oneOf": [{"required": ["url"]}, {"required": ["credential"]}]
  })");
  spec.output_schema = parse_trusted_json(
      R"({"type": "object", "properties": {"rows": {"type": "array", "items": {"type": "object"}},
    "row": {"type": ["object", "null"], "description": "In mode one"}, "row_count": {"type": "integer", "description": "Rows read, or changed in mode execute"}}})");
  spec.idempotent = false;
  return std::make_unique<BlockingHandler>(
      std::move(spec),
      [network = std::move(network), &clock, data_dir = std::move(data_dir)](
          const ports::AttemptRequest& request, ports::AttemptControl& control) -> Result<Json> {
        const auto call = read_call(*request.config);
        if (!call) return call.error();
        const SqlContext context{network->guard, clock, data_dir, clock.steady_now() + request.timeout,
                                 control};
        if (call->url.starts_with("sqlite://")) return run_sqlite(*call, context);
        if (call->url.starts_with("postgresql://") || call->url.starts_with("postgres://"))
          return run_postgres(*call, context);
        return Error(codes::sql_url, "the url must start with sqlite:// or postgresql://");
      });
}

}  // namespace fp::tasks

#pragma once

#include "ports/task_handler.hpp"
#include "tasks/address_guard.hpp"

#include <filesystem>
#include <string>

namespace fp::tasks {

/// What a sql_query step asks for.
struct SqlCall {
  enum class Mode { rows, one, execute };
  std::string url;
  std::string query;
  Json params;  // list, object or null
  Mode mode = Mode::rows;
  std::size_t max_rows = 10'000;
};

/// What a database driver needs besides. The attempt ends at `deadline`.
struct SqlContext {
  const AddressGuard& guard;
  const Clock& clock;
  const std::filesystem::path& data_dir;
  SteadyPoint deadline;
  ports::AttemptControl& control;

  bool is_over() const { return control.is_cancelled() || clock.steady_now() >= deadline; }
  /// task.cancelled or sql.timeout, whichever it was.
  Error make_over_error() const;
};

/// Collects rows up to the limits of a call: its max_rows and 16 MiB.
class SqlRows {
 public:
  explicit SqlRows(const SqlCall& call) : call_(call) {}
  /// Names of the result's columns; repeated ones get a number ("id", "id_2").
  void set_columns(const std::vector<std::string>& names);
  const std::vector<std::string>& columns() const { return columns_; }
  /// Error sql.rows when this row is one too many.
  Result<void> add(JsonObject row);
  /// The step's output; `affected` counts for mode execute.
  Json to_output(std::int64_t affected);

 private:
  const SqlCall& call_;
  std::vector<std::string> columns_;
  JsonArray rows_;
  std::size_t weight_ = 0;
};

Result<Json> run_sqlite(const SqlCall& call, const SqlContext& context);
Result<Json> run_postgres(const SqlCall& call, const SqlContext& context);

}  // namespace fp::tasks

#include "base/error_code.hpp"
#include "tasks/sql_call.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <set>
#include <thread>

namespace fp::tasks {

namespace {

struct DatabaseCloser {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, DatabaseCloser>;
struct StatementCloser {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementCloser>;

/// Only pragmas that read the schema; those that read or change the connection or the file are not for steps.
bool is_harmless_pragma(std::string_view name, const char* argument) {
  static const std::set<std::string, std::less<>> kReads{"table_info",      "table_xinfo", "table_list",
                                                         "index_list",      "index_info",  "index_xinfo",
                                                         "foreign_key_list"};
  static const std::set<std::string, std::less<>> kReadsAlone{"user_version", "schema_version",
                                                              "application_id", "encoding"};
  return kReads.contains(to_lower(name)) || (argument == nullptr && kReadsAlone.contains(to_lower(name)));
}

int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
  if (action == SQLITE_ATTACH || action == SQLITE_DETACH) return SQLITE_DENY;
  if (action == SQLITE_PRAGMA)
    return is_harmless_pragma(first == nullptr ? "" : first, second) ? SQLITE_OK : SQLITE_DENY;
  if (action == SQLITE_FUNCTION && second != nullptr) {
    static const std::set<std::string, std::less<>> kForbidden{"load_extension", "fts3_tokenizer", "readfile",
                                                               "writefile", "edit"};
    return kForbidden.contains(to_lower(second)) ? SQLITE_DENY : SQLITE_OK;
  }
  return SQLITE_OK;
}

int on_progress(void* context) {
  return static_cast<const SqlContext*>(context)->is_over() ? 1 : 0;
}

int on_busy(void* context, int) {
  if (static_cast<const SqlContext*>(context)->is_over()) return 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // SQLite has nothing to wait on
  return 1;
}

Error make_sqlite_error(sqlite3* database, const SqlContext& context, bool preparing) {
  const int extended = sqlite3_extended_errcode(database);
  const std::string text(cut_utf8(sqlite3_errmsg(database), 300));
  if (text.starts_with("not authorized"))
    return {codes::sql_forbidden, text};  // functions come with SQLITE_ERROR
  switch (extended & 0xff) {
    case SQLITE_INTERRUPT:
      return context.make_over_error();
    case SQLITE_AUTH:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return {codes::sql_forbidden, text};
    case SQLITE_CONSTRAINT:
      return {codes::sql_constraint, text};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return context.is_over() ? context.make_over_error() : Error(codes::sql_conflict, text);
    case SQLITE_CANTOPEN:
      return {codes::sql_connect, "the database file can not be opened"};
    case SQLITE_TOOBIG:
      return {codes::sql_rows, text};
    case SQLITE_RANGE:
      return {codes::sql_params, text};
    default:
      return {preparing ? codes::sql_syntax : codes::sql_failed, text};
  }
}

Result<std::filesystem::path> find_file(const SqlCall& call, const SqlContext& context) {
  const std::string_view url = call.url;
  constexpr std::string_view prefix = "sqlite:///";
  const auto path = url.starts_with(prefix) ? percent_decode(url.substr(prefix.size())) : std::string();
  if (path.empty() || path.find('\0') != std::string::npos || path.starts_with(":memory:"))
    return Error(codes::sql_url, "the url must be sqlite:///relative/path or sqlite:////absolute/path");
  std::error_code ec;
  auto file = std::filesystem::weakly_canonical(std::filesystem::absolute(path, ec), ec);
  if (ec) return Error(codes::sql_connect, "the path of the database can not be resolved");
  if (context.data_dir.empty()) return file;
  const auto own = std::filesystem::weakly_canonical(std::filesystem::absolute(context.data_dir, ec), ec);
  const auto [end, rest] = std::mismatch(own.begin(), own.end(), file.begin(), file.end());
  if (end == own.end()) return Error(codes::sql_forbidden, "this file belongs to FlowPilot itself");
  return file;
}

Result<Database> open_database(const SqlCall& call, const SqlContext& context) {
  const auto file = find_file(call, context);
  if (!file) return file.error();
  sqlite3* raw = nullptr;
  // The path is resolved already; NOFOLLOW refuses a link put there since.
  const int opened = sqlite3_open_v2(file->c_str(), &raw,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                         SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
                                     nullptr);
  Database database(raw);
  if (opened != SQLITE_OK) return Error(codes::sql_connect, "the database file can not be opened");
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, 16 << 20);
  sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
  auto* data = const_cast<SqlContext*>(&context);
  sqlite3_busy_handler(raw, on_busy, data);
  sqlite3_progress_handler(raw, 1000, on_progress, data);
  sqlite3_set_authorizer(raw, authorize, nullptr);
  return database;
}

Result<Statement> prepare(sqlite3* database, const SqlCall& call, const SqlContext& context) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  if (call.query.find('\0') != std::string::npos)
    return Error(codes::sql_syntax, "the query holds a zero byte");
  const int prepared = sqlite3_prepare_v3(database, call.query.c_str(),
                                          static_cast<int>(call.query.size() + 1), 0, &raw, &tail);
  Statement statement(raw);
  if (prepared != SQLITE_OK) return make_sqlite_error(database, context, true);
  if (!statement) return Error(codes::sql_syntax, "the query holds no statement");
  sqlite3_stmt* second = nullptr;
  const int more = sqlite3_prepare_v3(database, tail, -1, 0, &second, nullptr);
  const Statement rest(second);
  if (more != SQLITE_OK || rest) return Error(codes::sql_multi, "the query holds a second statement");
  return statement;
}

Result<void> bind(sqlite3_stmt* statement, int index, const Json& value) {
  int bound = SQLITE_OK;
  if (value.is_null())
    bound = sqlite3_bind_null(statement, index);
  else if (value.is_bool())
    bound = sqlite3_bind_int(statement, index, value.get_bool() ? 1 : 0);
  else if (value.is_int64())
    bound = sqlite3_bind_int64(statement, index, value.get_int64());
  else if (value.is_uint64())
    return Error(codes::sql_params, fmt::format("parameter {} is beyond 64 bits with sign", index));
  else if (value.is_double())
    bound = sqlite3_bind_double(statement, index, value.get_double());
  else {
    const auto text = to_display_text(value);
    bound = sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  if (bound == SQLITE_OK) return {};
  return Error(codes::sql_params,
               fmt::format("parameter {} can not be bound: {}", index, sqlite3_errstr(bound)));
}

Result<void> bind_all(sqlite3_stmt* statement, const Json& params) {
  const int count = sqlite3_bind_parameter_count(statement);
  const auto* list = params.if_array();
  const auto* object = params.if_object();
  const auto given = list != nullptr ? list->size() : object != nullptr ? object->size() : 0;
  if (object == nullptr && given != static_cast<std::size_t>(count))
    return Error(codes::sql_params,
                 fmt::format("the statement has {} placeholders and params {} values", count, given));
  std::set<std::string> used;
  for (int index = 1; index <= count; ++index) {
    const Json* value = nullptr;
    if (object != nullptr) {
      const char* name = sqlite3_bind_parameter_name(statement, index);
      if (name == nullptr)
        return Error(codes::sql_params, "the statement has a ? and params is an object; use :name");
      value = json_find(params, name + 1);
      if (value == nullptr) return Error(codes::sql_params, fmt::format("params has no \"{}\"", name + 1));
      used.insert(name + 1);
    } else {
      value = &(*list)[static_cast<std::size_t>(index - 1)];
    }
    if (const auto bound = bind(statement, index, *value); !bound) return bound;
  }
  if (object != nullptr && used.size() != given)
    return Error(codes::sql_params, "params has a name that the statement does not use");
  return {};
}

Json read_column(sqlite3_stmt* statement, int column) {
  const auto bytes = [&](const void* data) {
    return std::string_view(static_cast<const char*>(data),
                            static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return Json(std::int64_t{sqlite3_column_int64(statement, column)});
    case SQLITE_FLOAT: {
      const double number = sqlite3_column_double(statement, column);
      return std::isfinite(number) ? Json(number) : Json(number > 0 ? "Infinity" : "-Infinity");
    }
    case SQLITE_TEXT: {
      const auto text = bytes(sqlite3_column_text(statement, column));
      return is_utf8(text) ? Json(text) : Json(to_base64(text));
    }
    case SQLITE_BLOB:
      return Json(to_base64(bytes(sqlite3_column_blob(statement, column))));
    default:
      return nullptr;
  }
}

}  // namespace

Result<Json> run_sqlite(const SqlCall& call, const SqlContext& context) {
  const auto database = open_database(call, context);
  if (!database) return database.error();
  const auto statement = prepare(database->get(), call, context);
  if (!statement) return statement.error();
  if (const auto bound = bind_all(statement->get(), call.params); !bound) return bound.error();
  SqlRows rows(call);
  std::vector<std::string> names;
  for (int i = 0; i < sqlite3_column_count(statement->get()); ++i)
    names.emplace_back(sqlite3_column_name(statement->get(), i));
  rows.set_columns(names);
  int stepped = sqlite3_step(statement->get());
  for (; stepped == SQLITE_ROW; stepped = sqlite3_step(statement->get())) {
    JsonObject row;
    for (std::size_t i = 0; i < names.size(); ++i)
      row[rows.columns()[i]] = read_column(statement->get(), static_cast<int>(i));
    if (const auto added = rows.add(std::move(row)); !added) return added.error();
  }
  if (stepped != SQLITE_DONE) return make_sqlite_error(database->get(), context, false);
  return rows.to_output(sqlite3_stmt_readonly(statement->get()) != 0 ? 0
                                                                     : sqlite3_changes64(database->get()));
}

}  // namespace fp::tasks

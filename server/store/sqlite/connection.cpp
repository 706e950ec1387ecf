#include "store/sqlite/connection.hpp"

#include "base/assert.hpp"
#include "store/storage_error.hpp"

#include <fmt/format.h>

#include <cstring>

namespace fp::store {

Statement& Statement::bind(int at, std::int64_t value) {
  if (const int code = sqlite3_bind_int64(statement_, at, value); code != SQLITE_OK) connection_.fail(code);
  return *this;
}

Statement& Statement::bind(int at, std::string_view text) {
  const char* start = text.data() == nullptr ? "" : text.data();
  const int code = sqlite3_bind_text64(statement_, at, start, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) connection_.fail(code);
  return *this;
}

Statement& Statement::bind(int at, std::span<const std::uint8_t> bytes) {
  const int code = sqlite3_bind_blob64(statement_, at, bytes.data(), bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) connection_.fail(code);
  return *this;
}

Statement& Statement::bind_null(int at) {
  if (const int code = sqlite3_bind_null(statement_, at); code != SQLITE_OK) connection_.fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_.fail(code);
  return false;
}

std::string Statement::text(int at) const {
  const auto* start = reinterpret_cast<const char*>(sqlite3_column_text(statement_, at));
  return start == nullptr
             ? std::string()
             : std::string(start, static_cast<std::size_t>(sqlite3_column_bytes(statement_, at)));
}

void Statement::copy_bytes(int at, std::span<std::uint8_t> out) const {
  const void* start = sqlite3_column_blob(statement_, at);
  if (static_cast<std::size_t>(sqlite3_column_bytes(statement_, at)) != out.size())
    connection_.fail(SQLITE_CORRUPT);
  std::memcpy(out.data(), start, out.size());
}

namespace {

std::string file_uri(const std::string& path, Access access) {
  std::string uri = "file:";
  for (const char c : path) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || std::strchr("/._-", c) != nullptr;
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return access == Access::immutable ? uri + "?immutable=1" : uri;
}

}  // namespace

Connection::Connection(std::string path, Access access, Milliseconds busy_timeout, const std::string& vfs)
    : path_(std::move(path)) {
  FP_ASSERT(sqlite3_threadsafe() != 0, "connections are used from several threads, one at a time");
  const int mode =
      access == Access::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const int flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE;
  const auto uri = file_uri(path_, access);
  const int code = sqlite3_open_v2(uri.c_str(), &handle_, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) {
    const auto error = sqlite_error(code, sqlite3_system_errno(handle_), sqlite3_errmsg(handle_), path_);
    sqlite3_close_v2(handle_);
    throw Unavailable(error);
  }
  sqlite3_busy_timeout(handle_, static_cast<int>(busy_timeout.count()));
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // Closing must never checkpoint by itself: after a failed sync nothing may be synced again.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  try {
    execute(sql::configure);
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

Connection::~Connection() {
  for (const auto& [query, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

sqlite3_stmt* Connection::prepare(std::string_view text) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, text.data(), static_cast<int>(text.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  return statement;
}

Statement Connection::use(const sql::Query& first, const sql::Query* second) {
  auto& statement = statements_[{&first, second}];
  if (statement == nullptr)
    statement =
        second == nullptr ? prepare(first.text) : prepare(fmt::format("{}{}", first.text, second->text));
  return Statement(*this, statement);
}

void Connection::execute(std::string_view text, void (*each)()) {
  while (!text.empty()) {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    int code = sqlite3_prepare_v2(handle_, text.data(), static_cast<int>(text.size()), &statement, &rest);
    if (code != SQLITE_OK) fail(code);
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (statement == nullptr) continue;
    do code = sqlite3_step(statement);
    while (code == SQLITE_ROW);
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE) fail(code);
    if (each != nullptr) each();
  }
}

void Connection::abandon() noexcept {
  if (in_transaction()) sqlite3_exec(handle_, sql::rollback.text.data(), nullptr, nullptr, nullptr);
}

/// The one SQLite hands on is a leftover when a COMMIT failed; the files know better. They also know whether
/// a file that SQLite calls damaged could only not be read.
int Connection::find_errno(int result_code) const {
  const int primary = result_code & 0xff;
  int error_number = 0;
  if (primary == SQLITE_IOERR || primary == SQLITE_CORRUPT) {
    sqlite3_file* wal = nullptr;
    sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&wal));
    if (wal != nullptr && wal->pMethods != nullptr)
      wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &error_number);
    if (error_number == 0) sqlite3_file_control(handle_, "main", SQLITE_FCNTL_LAST_ERRNO, &error_number);
  }
  if (error_number != 0 || primary == SQLITE_CORRUPT) return error_number;
  return sqlite3_system_errno(handle_);
}

void Connection::fail(int result_code) const {
  throw Unavailable(sqlite_error(result_code, find_errno(result_code), sqlite3_errmsg(handle_), path_));
}

}  // namespace fp::store

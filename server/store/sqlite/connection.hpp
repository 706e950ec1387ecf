#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "store/sqlite_sql.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace fp::store {

class Connection;

/// One run of a prepared statement: bind from 1, step or run, read columns from 0; reset when it goes. What
/// is bound must outlive it. Throws Unavailable when SQLite fails.
class Statement {
 public:
  Statement(Connection& connection, sqlite3_stmt* statement)
      : connection_(connection), statement_(statement) {}
  ~Statement() { sqlite3_reset(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, std::uint64_t value) { return bind(at, static_cast<std::int64_t>(value)); }
  Statement& bind(int at, std::string_view text);
  Statement& bind(int at, TimePoint time) { return bind(at, time.time_since_epoch().count()); }
  Statement& bind(int at, std::span<const std::uint8_t> bytes);
  template <class Tag>
  Statement& bind(int at, const Uuid<Tag>& id) {
    return bind(at, std::span<const std::uint8_t>(id.bytes));
  }
  Statement& bind_null(int at);
  template <class T>
  Statement& bind(int at, const std::optional<T>& value) {
    return value ? bind(at, *value) : bind_null(at);
  }

  /// Is there a row?
  bool step();
  /// For statements that give no row.
  void run() { step(); }

  bool is_null(int at) const { return sqlite3_column_type(statement_, at) == SQLITE_NULL; }
  std::int64_t integer(int at) const { return sqlite3_column_int64(statement_, at); }
  std::uint64_t unsigned_integer(int at) const { return static_cast<std::uint64_t>(integer(at)); }
  TimePoint time(int at) const { return TimePoint(Milliseconds(integer(at))); }
  std::string text(int at) const;
  ExecutionId execution_id(int at) const { return id<ExecutionId>(at); }
  template <class Id>
  Id id(int at) const {
    Id value;
    copy_bytes(at, value.bytes);
    return value;
  }
  template <class Id>
  std::optional<Id> optional_id(int at) const {
    return is_null(at) ? std::nullopt : std::optional(id<Id>(at));
  }
  std::optional<TimePoint> optional_time(int at) const {
    return is_null(at) ? std::nullopt : std::optional(time(at));
  }
  /// The bytes of a column of fixed size; another size is damage.
  void copy_bytes(int at, std::span<std::uint8_t> out) const;

 private:
  Connection& connection_;
  sqlite3_stmt* statement_;
};

enum class Access { read_only, read_write, immutable };

/// One SQLite connection with its prepared statements. Used by one thread at a time (its owner holds a lock).
class Connection {
 public:
  /// Throws Unavailable. `vfs` is empty but in tests that inject faults.
  Connection(std::string path, Access access, Milliseconds busy_timeout, const std::string& vfs);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Statement use(const sql::Query& query) { return use(query, nullptr); }
  /// One statement whose text is that of two blocks.
  Statement use(const sql::Query& first, const sql::Query& second) { return use(first, &second); }
  /// Runs every statement of the text. `each` is called after each of them.
  void execute(std::string_view text, void (*each)() = nullptr);
  void execute(const sql::Query& query) { execute(query.text); }
  std::int64_t changes() const { return sqlite3_changes64(handle_); }
  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_); }
  bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
  /// Rolls back when a transaction is open; never throws: the storage failed already.
  void abandon() noexcept;
  [[noreturn]] void fail(int result_code) const;
  sqlite3* handle() { return handle_; }
  const std::string& path() const { return path_; }

 private:
  Statement use(const sql::Query& first, const sql::Query* second);
  sqlite3_stmt* prepare(std::string_view text);
  int find_errno(int result_code) const;

  using Key = std::pair<const sql::Query*, const sql::Query*>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      const std::hash<const sql::Query*> hash;
      return hash(key.first) ^ (hash(key.second) * 0x9E3779B97F4A7C15ULL);
    }
  };
  std::string path_;
  sqlite3* handle_ = nullptr;
  std::unordered_map<Key, sqlite3_stmt*, KeyHash> statements_;
};

}  // namespace fp::store

#include "store/sqlite/migrate.hpp"

#include "base/error_code.hpp"
#include "base/failpoint.hpp"

#include <fmt/format.h>

#include <iterator>

namespace fp::store {

namespace {

int read_schema_number(Connection& connection) {
  connection.use(sql::read_schema).step();
  auto statement = connection.use(sql::get_user_version);
  statement.step();
  return static_cast<int>(statement.integer(0));
}

void apply(Connection& connection, const sql::Migration& migration) {
  connection.use(sql::begin_write).run();
  connection.execute(migration.text, [] { FP_FAILPOINT("migrate.mid"); });
  connection.execute(fmt::format("{} {};", sql::set_user_version.text, migration.number));
  FP_FAILPOINT("migrate.mid");
  connection.use(sql::commit).run();
}

}  // namespace

int check_schema_number(Connection& connection) {
  const int number = read_schema_number(connection);
  const int known = std::rbegin(sql::kMigrations)->number;
  if (number <= known) return number;
  throw Unavailable(
      Error(codes::storage_newer,
            fmt::format("{} was made by a newer FlowPilot (schema {}, this version knows {}); run that "
                        "version or a newer one",
                        connection.path(), number, known)));
}

void migrate(Connection& connection, std::span<const sql::Migration> migrations) {
  const int number = read_schema_number(connection);
  for (const auto& migration : migrations) {
    if (migration.number > number) apply(connection, migration);
  }
}

}  // namespace fp::store

#pragma once

#include "store/sqlite/connection.hpp"

#include <span>

namespace fp::store {

/// The number of the last migration that was applied to this file. Throws storage.newer when we do not know
/// it, and storage.corrupt when the file is no database.
int check_schema_number(Connection& connection);
/// Applies what is missing, each migration in one transaction with its number. Forward only.
void migrate(Connection& connection, std::span<const sql::Migration> migrations = sql::kMigrations);

}  // namespace fp::store

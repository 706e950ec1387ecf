#pragma once

#include "ports/store.hpp"
#include "store/sqlite/connection.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

/// Lists and counts of executions, each on one connection and one snapshot. Throw Unavailable.
namespace fp::store::reads {

ports::ExecutionPage list_executions(Connection& connection, const ports::ExecutionFilter& filter,
                                     std::optional<std::uint64_t> before, std::size_t limit);
ports::ExecutionCount count_executions(Connection& connection, const ports::ExecutionFilter& filter,
                                       std::uint64_t most);
std::map<std::string, std::uint64_t> count_by_status(Connection& connection);

}  // namespace fp::store::reads

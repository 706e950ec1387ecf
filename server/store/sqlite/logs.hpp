#pragma once

#include "ports/store.hpp"
#include "store/sqlite/connection.hpp"

#include <vector>

/// The logs of executions, each verb on one connection. Throw Unavailable.
namespace fp::store::reads {

ports::LogPage list_log(Connection& connection, const ExecutionId& id, const ports::LogFilter& filter,
                        std::size_t limit);
std::vector<ports::LogBatch> list_log_batches(Connection& connection, const ExecutionId& id,
                                              std::uint64_t after, std::size_t limit);

}  // namespace fp::store::reads

#pragma once

#include "ports/store.hpp"
#include "store/sqlite/connection.hpp"

#include <cstdint>
#include <vector>

/// The statements a commit is made of. They ask nothing: the writer has judged before.
namespace fp::store {

void add_versions(Connection& connection, const std::vector<ports::WorkflowVersion>& versions);
void add_inbox(Connection& connection, const std::vector<ports::InboxEntry>& entries);
void add_idempotency(Connection& connection, const ports::IdempotencyEntry& entry);
/// Of a key that is known the time alone changes.
void put_idempotency(Connection& connection, const ports::IdempotencyEntry& entry);
void add_tick(Connection& connection, const ports::TickRecord& tick);
bool has_tick(Connection& connection, const ports::TickRecord& tick);
/// Gives the number of the new row.
std::uint64_t add_execution(Connection& connection, const ports::ExecutionSummary& summary);
void update_execution(Connection& connection, std::uint64_t number, const ports::ExecutionSummary& summary);
/// All of a write but its summary, its key and the inbox.
void write_parts(Connection& connection, std::uint64_t number, const ports::ExecutionWrite& write);

}  // namespace fp::store

#pragma once

#include "ports/store.hpp"
#include "store/sqlite/connection.hpp"

#include <optional>
#include <string>
#include <vector>

/// The reading verbs of ports::Store, each on one connection and one snapshot. Throw Unavailable.
/// Lists are in execution_lists.hpp, logs.hpp, rollups.hpp and workflows.hpp.
namespace fp::store::reads {

std::optional<ports::WorkflowVersion> find_version(Connection& connection, std::string_view hash);
std::optional<ports::LoadedExecution> load_execution(Connection& connection, const ExecutionId& id,
                                                     bool whole);
std::optional<ports::JournalPage> load_journal(Connection& connection, const ExecutionId& id,
                                               std::uint64_t after, std::size_t limit);
std::optional<ports::ExecutionSummary> find_execution(Connection& connection, const ExecutionId& id);
std::vector<ports::DueExecution> list_due(Connection& connection, TimePoint until, std::size_t limit);
std::optional<TimePoint> find_next_due(Connection& connection, TimePoint after);
std::optional<ports::IdempotencyEntry> find_idempotency(Connection& connection, std::string_view key);
std::vector<ports::InboxEntry> list_inbox(Connection& connection, std::size_t limit);
bool is_blob_referenced(Connection& connection, const std::string& hash);
std::vector<ports::BlobRef> list_blobs(Connection& connection);
/// What is wrong inside the database, a sentence each.
std::vector<std::string> check_database(Connection& connection);

}  // namespace fp::store::reads

#pragma once

#include "ports/store.hpp"
#include "store/sqlite/connection.hpp"

#include <optional>
#include <string_view>
#include <vector>

/// Workflows, their versions and what their steps can be, each verb on one connection and one snapshot. Throw
/// Unavailable.
namespace fp::store {

/// Records the change; the caller has judged it.
void put_workflow(Connection& writer, const ports::WorkflowWrite& write);

namespace reads {
std::optional<ports::WorkflowRecord> find_workflow(Connection& connection, const WorkflowId& id);
ports::WorkflowPage list_workflows(Connection& connection, const ports::WorkflowFilter& filter,
                                   std::optional<WorkflowId> after, std::size_t limit);
std::optional<ports::PublishedVersion> find_published(Connection& connection, const WorkflowId& id,
                                                      std::uint32_t number);
std::vector<ports::PublishedVersion> list_published(Connection& connection, const WorkflowId& id,
                                                    std::optional<std::uint32_t> below, std::size_t limit);
std::optional<ports::NamedVersion> find_version_by_name(Connection& connection, std::string_view name);
std::vector<ports::TaskTypeRecord> list_task_types(Connection& connection);
std::vector<ports::TickRecord> list_ticks(Connection& connection, const WorkflowId& workflow,
                                          std::string_view trigger, TimePoint before, std::size_t limit);
}  // namespace reads

}  // namespace fp::store

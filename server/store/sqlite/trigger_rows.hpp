#pragma once

#include "ports/store_records.hpp"
#include "store/sqlite/connection.hpp"

#include <string_view>
#include <vector>

// What triggers leave behind besides ticks.
namespace fp::store::reads {

std::vector<ports::HookRequestRecord> list_hook_requests(Connection& connection, const WorkflowId& workflow,
                                                         std::string_view trigger, std::size_t limit);
std::vector<ports::ScheduleState> list_schedule_states(Connection& connection);

}  // namespace fp::store::reads

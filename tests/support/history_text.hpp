#pragma once

#include "engine/engine.hpp"

#include <span>
#include <string>

namespace fp::tests {

/// One event as scenarios write it: "crm attempt 1", "crm completed = {...}", "end failed http.5xx: ...".
std::string describe(const engine::Event& event, const model::Workflow& workflow, TimePoint start);
/// Seconds since the start of the scenario, then the event.
std::string describe_line(const engine::Event& event, const model::Workflow& workflow, TimePoint start,
                          TimePoint at);

}  // namespace fp::tests

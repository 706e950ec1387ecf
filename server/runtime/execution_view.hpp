#pragma once

#include "engine/engine.hpp"

namespace fp::runtime {

/// An execution as the API and `-o json` show it (contract section 2): {id, workflow_name, status, ...,
/// tasks: [...]}.
Json to_resource(const engine::ExecutionState& state);
/// One task of it: {id, workflow_execution, step, index, step_type, status, started_at, ...}.
Json to_resource(const engine::ExecutionState& state, model::TaskRef task);

}  // namespace fp::runtime

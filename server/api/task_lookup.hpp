#pragma once

#include "base/result.hpp"
#include "model/execution_state.hpp"

#include <string>

namespace fp::api {

/// The task of that id, step id, or `step.INDEX`. Error not_found.
Result<model::TaskRef> find_task(const model::ExecutionState& state, const std::string& name);

}  // namespace fp::api

#pragma once

#include "engine/engine.hpp"

#include <cstddef>
#include <string>

namespace fp::runtime {

/// Values above this many bytes of text are shown as {truncated, bytes, preview} where a caller asks for
/// short ones.
inline constexpr std::size_t kShownBytes = 64 << 10;
/// ... and so many bytes of all results of an execution together; what comes after them is shown by its first
/// 1,000.
inline constexpr std::size_t kShownTotal = 1 << 20;
inline constexpr std::size_t kAllBytes = ~std::size_t{0};

/// An execution as the API and `-o json` show it (contract section 2): {id, workflow_name, status, ...,
/// tasks: [...]}.
Json to_resource(const engine::ExecutionState& state, std::size_t most_bytes = kAllBytes);
/// One task of it: {id, workflow_execution, step, index, step_type, status, started_at, ...}.
Json to_resource(const engine::ExecutionState& state, model::TaskRef task,
                 std::size_t most_bytes = kAllBytes);
/// What changes of the execution as a whole: {status, output, completed_at, error_message, error}.
Json to_status(const engine::ExecutionState& state);
/// The same for every process and version: derived from the execution and the step.
std::string task_id(const engine::ExecutionState& state, model::TaskRef task);
/// The value, or what stands for a large one.
Json shorten(const Json& value, std::size_t most_bytes);

}  // namespace fp::runtime

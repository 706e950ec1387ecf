#pragma once

#include "engine/engine.hpp"
#include "ports/store.hpp"

namespace fp::runtime {

/// How an execution that has ended went, for the rollups: steps that ran, for_each steps as one.
ports::ExecutionSample make_sample(const engine::ExecutionState& state);

}  // namespace fp::runtime

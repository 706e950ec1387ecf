#pragma once

#include "model/workflow.hpp"
#include "runtime/runtime.hpp"

namespace fp::app {

/// Publishes the examples in a store that has no workflow yet. Blocks until they are on disk.
Result<void> publish_demo_workflows(ports::Store& store, runtime::Runtime& runtime,
                                    const model::TaskTypeRegistry& types, const Clock& clock, Rng& rng);

}  // namespace fp::app

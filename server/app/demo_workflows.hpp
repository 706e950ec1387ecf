#pragma once

#include "model/workflow.hpp"
#include "runtime/runtime.hpp"

#include <span>
#include <string_view>
#include <utility>

namespace fp::app {

/// The examples by the names of their files, as YAML.
std::span<const std::pair<std::string_view, std::string_view>> list_templates();
/// Publishes the examples in a store that has no workflow yet. Blocks until they are on disk.
Result<void> publish_demo_workflows(ports::Store& store, runtime::Runtime& runtime,
                                    const model::TaskTypeRegistry& types, const Clock& clock, Rng& rng);

}  // namespace fp::app

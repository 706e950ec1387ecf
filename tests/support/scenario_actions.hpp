#pragma once

#include "engine/engine.hpp"
#include "support/scenario.hpp"

#include <optional>

namespace fp::tests {

/// The input an action stands for; nullopt for `crash`, which the driver itself does.
std::optional<engine::Input> to_input(const Action& action, const model::Workflow& workflow);
model::event::ExecutionStarted make_start(const Scenario& scenario);
/// Scenarios run for at most this long in their own time.
inline constexpr Milliseconds kScenarioLimit = std::chrono::hours(48);
/// What a worker that is silent costs: the runtime's lease time, and its grace beyond an attempt's time-out.
inline constexpr Milliseconds kLeaseTime{15'000};
inline constexpr Milliseconds kTimeoutGrace{2'000};

}  // namespace fp::tests

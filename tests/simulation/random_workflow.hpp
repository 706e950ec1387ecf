#pragma once

#include "dice.hpp"
#include "model/workflow.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fp::simulation {

/// The engine's step types and `work`, which simulated workers carry out.
const model::TaskTypeRegistry& simulation_types();

/// A valid document of 1 to 15 steps with everything a document can say: branches, joins, error edges, loops,
/// retries, compensations, waits, children, time-outs. `children` are the names its workflow steps may run.
std::shared_ptr<const model::Workflow> make_random_workflow(Dice& dice, const std::string& name,
                                                            const std::vector<std::string>& children,
                                                            const std::string& on_failure);
/// An input that the expressions of such documents can read.
Json make_random_input(Dice& dice);

}  // namespace fp::simulation

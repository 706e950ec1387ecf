#pragma once

#include "tally.hpp"

#include <cstdint>

namespace fp::simulation {

struct Outcome {
  Tally tally;
  double simulated_seconds = 0;
  std::size_t executions = 0;
  std::size_t events = 0;
};

/// One seed from start to end: random workflows and inputs, a storm of faults, then calm, in which everything
/// must end. Throws Violation when a promise is broken.
Outcome simulate(std::uint64_t seed);

}  // namespace fp::simulation

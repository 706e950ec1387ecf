#pragma once

#include "runtime/journal.hpp"

#include <functional>
#include <string>

namespace fp::runtime {

struct VerifyReport {
  std::size_t executions = 0;
  std::size_t unfinished = 0;
  std::size_t events = 0;
  std::vector<std::string> findings;  // a sentence each; empty when every invariant holds
};

/// Checks a store without changing it: every journal is numbered without gaps and its hash chain holds,
/// folding it gives the status, wake-up and snapshot that are stored, large values are there and whole,
/// nothing happened after an end but late results, and every unfinished execution has something that will
/// move it on. `progress` is told how many are done.
VerifyReport verify_store(ports::Store& store, Journal& journal,
                          const std::function<void(std::size_t)>& progress = {});

}  // namespace fp::runtime

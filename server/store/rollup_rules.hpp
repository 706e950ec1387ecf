#pragma once

#include "ports/rollup.hpp"

#include <compare>
#include <map>
#include <string>

namespace fp::store {

/// In the order in which rollups are listed.
struct RollupKey {
  TimePoint hour{};
  std::string workflow;
  std::string step;  // "" = the execution as a whole
  auto operator<=>(const RollupKey&) const = default;
};
using Rollups = std::map<RollupKey, ports::HourlyRollup>;

/// Counts one execution into its hour.
void add_sample(Rollups& rollups, const ports::ExecutionSample& sample);
/// Adds the counts of `other`, which is of the same key.
void merge(ports::HourlyRollup& rollup, const ports::HourlyRollup& other);

}  // namespace fp::store

#pragma once

#include "ports/store.hpp"
#include "store/rollup_rules.hpp"
#include "store/sqlite/connection.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fp::store {

/// `bucket:count,bucket:count` and back.
std::string to_text(const ports::DurationHistogram& histogram);
ports::DurationHistogram histogram_from(std::string_view text);

/// Adds these counts to what the file holds of the same hours. `known` are the rows written lately, as they
/// are in the file; it belongs to the writer, which forgets them with everything else when a write fails.
void add_rollups(Connection& writer, const Rollups& rollups, Rollups& known);

namespace reads {
std::vector<ports::HourlyRollup> list_rollups(Connection& connection, const ports::RollupFilter& filter);
}  // namespace reads

}  // namespace fp::store

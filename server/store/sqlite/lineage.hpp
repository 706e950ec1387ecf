#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/data_directory.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fp::store {

/// Which history a database holds, and the highest epoch that was claimed in it. The data directory remembers
/// both beside the database, so that an older copy or another file in its place does not pass for what was
/// here.
struct Lineage {
  std::string id;  // 32 hex digits
  std::uint64_t epoch = 0;
  bool operator==(const Lineage&) const = default;
};

/// Epochs claimed in a database that was put back are above those that anyone may have claimed after it was
/// copied.
constexpr std::uint64_t kEpochsAhead = 1'000'000;

Lineage find_lineage(Connection& connection);
struct LineageCheck {
  std::optional<std::string> warning;  // a sentence for the operator
  std::uint64_t claim_above = 0;       // epochs up to this one may be somebody else's
};
/// Compares the database with what its directory remembers.
LineageCheck check_lineage(Connection& writer, const DataDirectory& directory);
/// After every claim. Throws Unavailable.
void remember_lineage(const DataDirectory& directory, const Lineage& lineage);
/// A history of its own from here on, far above the epochs of the one it comes from.
Lineage begin_lineage(Connection& writer);

}  // namespace fp::store

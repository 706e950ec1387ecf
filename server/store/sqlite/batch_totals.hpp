#pragma once

#include "ports/rollup.hpp"
#include "store/rollup_rules.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/recorded_cache.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace fp::store {

/// What a transaction changes in counts and rollups, summed up first so that it writes each of their rows
/// once however many executions it is about. Belongs to one transaction.
class BatchTotals {
 public:
  void count(const WorkflowKey& key, std::string_view status, std::int64_t difference);
  void add(const ports::ExecutionSample& sample) { add_sample(rollups_, sample); }
  /// `known` are the rollups the writer wrote lately.
  void write(Connection& writer, Rollups& known) const;

 private:
  std::map<std::pair<const WorkflowKey*, std::string>, std::int64_t> counts_;
  Rollups rollups_;
};

}  // namespace fp::store

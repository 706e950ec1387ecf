#pragma once

#include "base/ids.hpp"
#include "store/write_rules.hpp"

#include <compare>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>

namespace fp::store {

/// What executions are counted by: the workflow that holds their document (empty when none does) and its
/// name.
struct WorkflowKey {
  std::string workflow;  // the 16 bytes of its id
  std::string name;
  auto operator<=>(const WorkflowKey&) const = default;
};
struct WrittenExecution : RecordedExecution {
  const WorkflowKey* counted_as = nullptr;
};

/// What the writer remembers of the executions it wrote to lately, so that appending a row needs no look-up.
/// Right because nobody else writes to the file. Bounded: of two generations the older one is dropped when
/// the younger is full. Belongs to the writer.
class RecordedCache {
 public:
  explicit RecordedCache(std::size_t capacity) : half_(capacity / 2) {}

  /// Valid until the next call; nullptr when it is not remembered.
  WrittenExecution* find(const ExecutionId& id) {
    if (const auto found = young_.find(id); found != young_.end()) return &found->second;
    const auto found = old_.find(id);
    if (found == old_.end()) return nullptr;
    auto value = std::move(found->second);
    old_.erase(found);
    return put(id, std::move(value));
  }
  WrittenExecution* put(const ExecutionId& id, WrittenExecution value) {
    if (young_.size() >= half_) old_ = std::exchange(young_, {});
    return &young_.insert_or_assign(id, std::move(value)).first->second;
  }
  void erase(const ExecutionId& id) {
    young_.erase(id);
    old_.erase(id);
  }

 private:
  using Generation = std::unordered_map<ExecutionId, WrittenExecution>;
  std::size_t half_;
  Generation young_;
  Generation old_;
};

}  // namespace fp::store

#pragma once

#include "base/ids.hpp"
#include "store/write_rules.hpp"

#include <cstddef>
#include <unordered_map>
#include <utility>

namespace fp::store {

/// What the writer remembers of the executions it wrote to lately, so that appending a row needs no look-up.
/// Right because nobody else writes to the file. Bounded: of two generations the older one is dropped when
/// the younger is full. Belongs to the writer.
class RecordedCache {
 public:
  explicit RecordedCache(std::size_t capacity) : half_(capacity / 2) {}

  /// Valid until the next call; nullptr when it is not remembered.
  RecordedExecution* find(const ExecutionId& id) {
    if (const auto found = young_.find(id); found != young_.end()) return &found->second;
    const auto found = old_.find(id);
    if (found == old_.end()) return nullptr;
    auto value = std::move(found->second);
    old_.erase(found);
    return put(id, std::move(value));
  }
  RecordedExecution* put(const ExecutionId& id, RecordedExecution value) {
    if (young_.size() >= half_) old_ = std::exchange(young_, {});
    return &young_.insert_or_assign(id, std::move(value)).first->second;
  }
  void erase(const ExecutionId& id) {
    young_.erase(id);
    old_.erase(id);
  }

 private:
  using Generation = std::unordered_map<ExecutionId, RecordedExecution>;
  std::size_t half_;
  Generation young_;
  Generation old_;
};

}  // namespace fp::store

#pragma once

#include "model/execution_state.hpp"
#include "model/scope_entry.hpp"
#include "model/template.hpp"

#include <string>
#include <vector>

namespace fp::engine {

/// What the expressions of one task may read, straight from the state. A step that has not completed reads as
/// `output: null`; `error` is null unless it failed.
class TaskScope final : public model::Scope {
 public:
  TaskScope(const model::ExecutionState& state, model::TaskRef task) : state_(state), task_(task) {}
  /// With the item of a list that is gone through in one step (filter, map, ...).
  TaskScope(const model::ExecutionState& state, model::TaskRef task, const Json& item, std::size_t index)
      : state_(state), task_(task), item_(&item), index_(index) {}

  Result<const Json*> read(const model::Path& path, Json& scratch) const override;
  /// The entries that these expressions read, for the sandbox. `list_item`: `item` and `index` come per
  /// evaluation.
  std::vector<model::ScopeEntry> collect(const std::vector<const model::Expression*>& expressions,
                                         bool list_item) const;

 private:
  const Json* find_item() const;
  Result<const Json*> read_step(const model::Path& path, Json& scratch) const;
  void add_step(const std::string& id, std::vector<model::ScopeEntry>& out) const;

  const model::ExecutionState& state_;
  model::TaskRef task_;
  const Json* item_ = nullptr;
  std::size_t index_ = 0;
};

}  // namespace fp::engine

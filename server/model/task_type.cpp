#include "model/task_type.hpp"

#include "base/assert.hpp"

namespace fp::model {

void TaskTypeRegistry::add(TaskTypeSpec spec) {
  auto name = spec.type;
  const bool is_new = types_.emplace(std::move(name), std::move(spec)).second;
  FP_ASSERT(is_new, "two task types of one name could not be told apart");
}

const TaskTypeSpec* TaskTypeRegistry::find(std::string_view type) const {
  const auto found = types_.find(type);
  return found == types_.end() ? nullptr : &found->second;
}

std::vector<std::string> TaskTypeRegistry::list_names() const {
  std::vector<std::string> names;
  for (const auto& [name, spec] : types_) names.push_back(name);
  return names;
}

}  // namespace fp::model

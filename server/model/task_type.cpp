#include "model/task_type.hpp"

#include "base/assert.hpp"

namespace fp::model {

void TaskTypeRegistry::add(TaskTypeSpec spec) {
  const std::lock_guard lock(types_->mutex);
  auto name = spec.type;
  const bool is_new =
      types_->by_name.emplace(std::move(name), std::make_shared<TaskTypeSpec>(std::move(spec))).second;
  FP_ASSERT(is_new, "two task types of one name could not be told apart");
}

bool TaskTypeRegistry::put(TaskTypeSpec function) {
  FP_ASSERT(function.is_function(), "a built-in type never changes");
  const std::lock_guard lock(types_->mutex);
  auto& known = types_->by_name[function.type];
  if (known && to_json(*known) == to_json(function)) return false;
  known = std::make_shared<TaskTypeSpec>(std::move(function));
  ++types_->revision;
  return true;
}

TaskTypePtr TaskTypeRegistry::find(std::string_view type) const {
  const std::lock_guard lock(types_->mutex);
  const auto found = types_->by_name.find(type);
  return found == types_->by_name.end() ? nullptr : found->second;
}

std::vector<std::string> TaskTypeRegistry::list_names() const {
  const std::lock_guard lock(types_->mutex);
  std::vector<std::string> names;
  for (const auto& [name, spec] : types_->by_name) names.push_back(name);
  return names;
}

std::uint64_t TaskTypeRegistry::revision() const {
  const std::lock_guard lock(types_->mutex);
  return types_->revision;
}

}  // namespace fp::model

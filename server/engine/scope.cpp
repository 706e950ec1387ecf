#include "engine/scope.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::engine {

using namespace model;

namespace {

const Json kNull = nullptr;

Value error_value(const TaskState& task) {
  return task.error ? make_value(to_json(*task.error)) : null_value();
}

}  // namespace

const Json* TaskScope::find_item() const {
  if (item_ != nullptr) return item_;
  if (task_.item == kNoItem) return nullptr;
  return &state_.steps[task_.step].fan->items->get_array()[task_.item];
}

Result<const Json*> TaskScope::read(const Path& path, Json& scratch) const {
  const auto& root = path.root();
  if (root == "steps") return read_step(path, scratch);
  if (root == "input") return walk(*state_.input, path, 1, scratch);
  if (root == "item") {
    if (const auto* item = find_item()) return walk(*item, path, 1, scratch);
  } else if (root == "index" && find_item() != nullptr) {
    scratch = item_ != nullptr ? index_ : task_.item;
    if (path.segments.size() == 1) return &scratch;
    return undefined_error(path, 1, scratch);
  } else if (root == "vars") {
    return walk(*state_.vars, path, 1, scratch);
  } else if (root == "execution") {
    return walk(*state_.execution_info, path, 1, scratch);
  } else if (root == "workflow") {
    return walk(*state_.workflow_info, path, 1, scratch);
  }
  return Error(codes::expr_undefined, fmt::format("`{}` is not defined here", root));
}

Result<const Json*> TaskScope::read_step(const Path& path, Json& scratch) const {
  const auto* id = path.segments.size() > 1 ? std::get_if<std::string>(&path.segments[1]) : nullptr;
  const auto* field = path.segments.size() > 2 ? std::get_if<std::string>(&path.segments[2]) : nullptr;
  if (id == nullptr || field == nullptr) {
    return Error(codes::expr_undefined,
                 fmt::format("`{}` is no value of its own: write steps.<id>.output or steps.<id>.error",
                             to_string(path)));
  }
  const auto* step = state_.workflow->find_step(*id);
  if (step == nullptr)
    return Error(codes::expr_undefined,
                 fmt::format("`{}` is undefined: there is no such step", to_string(path, 2)));
  const auto& task = state_.steps[step->index].task;
  if (*field == "output") return walk(task.output ? *task.output : kNull, path, 3, scratch);
  if (*field != "error") {
    return Error(codes::expr_undefined,
                 fmt::format("`{}` is undefined: `{}` has `output`, `error`", to_string(path, 3), *id));
  }
  if (!task.error) return walk(kNull, path, 3, scratch);
  Json error = to_json(*task.error);
  Json deeper;
  const auto found = walk(error, path, 3, deeper);
  if (!found) return found.error();
  Json copy = **found;
  scratch = std::move(copy);
  return &scratch;
}

void TaskScope::add_step(const std::string& id, std::vector<ScopeEntry>& out) const {
  const auto* step = state_.workflow->find_step(id);
  if (step == nullptr) return;
  const auto& task = state_.steps[step->index].task;
  out.push_back({"steps." + id + ".output", task.output ? task.output : null_value()});
  out.push_back({"steps." + id + ".error", error_value(task)});
}

std::vector<ScopeEntry> TaskScope::collect(const std::vector<const Expression*>& expressions,
                                           bool list_item) const {
  std::vector<std::string> roots;
  std::vector<std::string> steps;
  bool any_step = false;
  const auto add_all = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
    for (const auto& name : from) {
      if (std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
    }
  };
  for (const auto* expression : expressions) {
    add_all(roots, expression->roots);
    add_all(steps, expression->steps);
    any_step |= expression->reads_any_step;
  }
  std::vector<ScopeEntry> out;
  for (const auto& root : roots) {
    if (root == "input") out.push_back({root, state_.input});
    if (root == "vars") out.push_back({root, state_.vars});
    if (root == "execution") out.push_back({root, state_.execution_info});
    if (root == "workflow") out.push_back({root, state_.workflow_info});
    const auto* item = list_item ? nullptr : find_item();
    if (root == "item" && item != nullptr) out.push_back({root, make_value(*item)});
    if (root == "index" && item != nullptr) out.push_back({root, make_value(task_.item)});
  }
  if (any_step) {
    steps.clear();
    for (const auto& step : state_.workflow->steps) {
      if (is_terminal(state_.steps[step.index].task.status)) steps.push_back(step.id);
    }
  }
  for (const auto& id : steps) add_step(id, out);
  return out;
}

}  // namespace fp::engine

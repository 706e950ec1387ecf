#include "runtime/catalog.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"

#include <fmt/format.h>

namespace fp::runtime {

Result<std::shared_ptr<const model::Workflow>> Catalog::load(const std::string& hash) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(hash);
    if (found != known_.end()) return found->second;
  }
  const auto version = store_.find_version(hash);
  if (!version) return Error(codes::workflow_unknown, fmt::format("there is no workflow version {}", hash));
  return read(*version);
}

Result<std::shared_ptr<const model::Workflow>> Catalog::load_by_name(const std::string& name) {
  const auto named = store_.find_version_by_name(name);
  if (!named) return Error(codes::workflow_unknown, fmt::format("there is no workflow named \"{}\"", name));
  const auto& version = named->version;
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(version.hash);
    if (found != known_.end()) return found->second;
  }
  return read(version);  // the document of a draft is stored with the workflow only
}

Result<std::shared_ptr<const model::Workflow>> Catalog::read(const ports::WorkflowVersion& version) {
  auto workflow = model::read_workflow(parse_trusted_json(version.document), types_);
  if (!workflow) return workflow.error();
  remember(*workflow);
  return *workflow;
}

void Catalog::remember(std::shared_ptr<const model::Workflow> workflow) {
  const std::lock_guard lock(mutex_);
  if (!known_.emplace(workflow->hash, workflow).second) return;
  order_.push_front(workflow->hash);
  if (order_.size() <= kKept) return;
  known_.erase(order_.back());
  order_.pop_back();
}

ports::WorkflowVersion to_version(const model::Workflow& workflow, TimePoint now) {
  return {workflow.hash, workflow.name, to_text(workflow.document), now};
}

}  // namespace fp::runtime

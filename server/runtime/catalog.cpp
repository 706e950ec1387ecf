#include "runtime/catalog.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"

#include <fmt/format.h>

namespace fp::runtime {

Result<std::shared_ptr<const model::Workflow>> Catalog::load(const std::string& hash) {
  if (auto known = find_known(hash)) return known;
  const auto version = store_.find_version(hash);
  if (!version) return Error(codes::workflow_unknown, fmt::format("there is no workflow version {}", hash));
  return read(*version);
}

Result<NamedWorkflow> Catalog::load_by_name(const std::string& name) {
  const auto named = store_.find_version_by_name(name);
  if (!named) return Error(codes::workflow_unknown, fmt::format("there is no workflow named \"{}\"", name));
  NamedWorkflow out{find_known(named->version.hash), named->workflow, named->number};
  if (out.workflow) return out;
  auto workflow = read(named->version);  // the document of a draft is stored with the workflow only
  if (!workflow) return workflow.error();
  out.workflow = std::move(*workflow);
  return out;
}

std::shared_ptr<const model::Workflow> Catalog::find_known(const std::string& hash) {
  const auto revision = types_.revision();
  const std::lock_guard lock(mutex_);
  if (std::exchange(types_revision_, revision) != revision) {
    known_.clear();
    order_.clear();
  }
  const auto found = known_.find(hash);
  return found == known_.end() ? nullptr : found->second;
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

#pragma once

#include "model/workflow.hpp"
#include "ports/store.hpp"

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace fp::runtime {

/// What a name stands for.
struct NamedWorkflow {
  std::shared_ptr<const model::Workflow> workflow;
  std::optional<WorkflowId> id;  // none for a document that no workflow holds
  std::uint32_t version = 0;     // 0 for a draft
};

/// The workflows executions run: read from the store once, kept while used (the 256 used last, until a
/// function that steps may name changes). Thread-safe.
class Catalog {
 public:
  Catalog(ports::Store& store, const model::TaskTypeRegistry& types) : store_(store), types_(types) {}

  /// A version by its hash. Error workflow.unknown.
  Result<std::shared_ptr<const model::Workflow>> load(const std::string& hash);
  /// What a step means by a workflow's id or name (Store::find_version_by_name). Error workflow.unknown.
  Result<NamedWorkflow> load_by_name(const std::string& name);
  void remember(std::shared_ptr<const model::Workflow> workflow);

 private:
  std::shared_ptr<const model::Workflow> find_known(const std::string& hash);
  Result<std::shared_ptr<const model::Workflow>> read(const ports::WorkflowVersion& version);

  static constexpr std::size_t kKept = 256;
  ports::Store& store_;
  const model::TaskTypeRegistry& types_;
  std::mutex mutex_;
  std::uint64_t types_revision_ = 0;                                     // guarded by mutex_
  std::map<std::string, std::shared_ptr<const model::Workflow>> known_;  // guarded by mutex_
  std::list<std::string> order_;                                         // guarded by mutex_; newest first
};

/// What the store keeps of a workflow.
ports::WorkflowVersion to_version(const model::Workflow& workflow, TimePoint now);

}  // namespace fp::runtime

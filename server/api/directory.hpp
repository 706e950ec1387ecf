#pragma once

#include "model/workflow.hpp"
#include "ports/store.hpp"
#include "runtime/catalog.hpp"

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace fp::api {

/// A workflow with its documents read.
struct KnownWorkflow {
  ports::WorkflowRecord record;
  std::shared_ptr<const model::Workflow> published;  // null when nothing is
  std::shared_ptr<const model::Workflow> draft;      // null when it is not valid

  /// Do its triggers fire?
  bool is_live() const { return published && record.enabled && !record.deleted_at; }
};
using KnownPtr = std::shared_ptr<const KnownWorkflow>;

/// The workflows that requests ask for, the 1,000 used last in memory. This process is the only writer, so
/// what is in memory is what is on disk once remember() was called after each commit. Thread-safe.
class Directory {
 public:
  Directory(ports::Store& store, runtime::Catalog& catalog, const model::TaskTypeRegistry& types)
      : store_(store), catalog_(catalog), types_(types) {}

  /// From memory only.
  KnownPtr find(const WorkflowId& id);
  /// Blocks. Error not_found, also for a deleted one.
  Result<KnownPtr> load(const WorkflowId& id);
  /// Every published workflow that can be read, once; the others are said in the log. Blocks.
  void for_each_published(const std::function<void(const KnownWorkflow&)>& visit);
  /// What was just committed. An older revision than the one known is ignored.
  void remember(KnownPtr workflow);

 private:
  static constexpr std::size_t kKept = 1000;
  ports::Store& store_;
  runtime::Catalog& catalog_;
  const model::TaskTypeRegistry& types_;
  std::mutex mutex_;
  std::uint64_t types_revision_ =
      0;                         // guarded by mutex_; what was read before a function changed is read again
  std::list<WorkflowId> order_;  // guarded by mutex_; used last first
  struct Entry {
    KnownPtr workflow;
    std::list<WorkflowId>::iterator place;
  };
  std::unordered_map<WorkflowId, Entry> known_;  // guarded by mutex_
};

}  // namespace fp::api

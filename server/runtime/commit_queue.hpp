#pragma once

#include "ports/loop.hpp"
#include "ports/store.hpp"

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace fp::runtime {

/// One decision on its way to the disk, or one change of a workflow.
struct PendingWrite {
  ports::ExecutionWrite write;
  std::optional<ports::WorkflowWrite> workflow;  // instead of `write`
  std::vector<ports::WorkflowVersion> versions;
  std::vector<ports::ExecutionWrite>
      births;  // executions that start with this decision, in the same transaction
  std::vector<ports::InboxEntry> inbox;
  ports::Loop* home = nullptr;  // where `done` runs
  UniqueFunction<void(const std::vector<ports::WriteOutcome>&)>
      done;  // of `write` and each birth, or of `workflow`
};

/// Group commit: what arrives while a commit is in flight goes into the next one, all of it in one
/// transaction. One decision alone commits at once. Push from any strand; commits run on the loop given. When
/// the storage fails, nothing is acknowledged any more and `on_failure` is called, once.
class CommitQueue {
 public:
  /// Called on the commit loop after each transaction: how long it took and how many decisions it held.
  using OnCommit = std::function<void(std::chrono::nanoseconds, std::size_t)>;
  CommitQueue(ports::Store& store, ports::Loop& loop, std::function<void(const Error&)> on_failure,
              OnCommit on_commit = {});

  void set_fence(ports::Fence fence) { fence_ = fence; }
  ports::Fence fence() const { return fence_; }
  void push(PendingWrite write);
  /// The storage failed elsewhere: the same end as after a failed commit.
  void fail(const Error& error);
  /// Decisions not yet on disk. Admission looks at it: new work is refused while it is long.
  std::size_t depth() const;

 private:
  void commit_some();
  static void collect(PendingWrite& pending, ports::Batch& batch);

  ports::Store& store_;
  ports::Loop& loop_;
  std::function<void(const Error&)> on_failure_;
  OnCommit on_commit_;
  ports::Fence fence_;
  mutable std::mutex mutex_;
  std::vector<PendingWrite> waiting_;  // guarded by mutex_
  bool posted_ = false;                // guarded by mutex_
  bool failed_ = false;                // guarded by mutex_
};

}  // namespace fp::runtime

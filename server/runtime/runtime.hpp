#pragma once

#include "runtime/shard.hpp"
#include "runtime/sleepers.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace fp::runtime {

/// What the runtime needs of the world. All of it outlives the runtime, and the loops run nothing of it any
/// more once it is destroyed: stop them first.
struct RuntimePorts {
  ports::Store& store;
  ports::Loop& commit_loop;
  std::vector<ports::Loop*> shard_loops;  // one shard each, at least one
  ports::ExpressionEvaluator& expressions;
  ports::WorkerTransport& workers;
  const model::TaskTypeRegistry& types;
  const Clock& clock;
  Rng& rng;
  Observer* observer = nullptr;
  std::function<void(const Error&)>
      on_failure;  // the storage failed: nothing more is acknowledged; stop and say so
  CommitQueue::OnCommit on_commit = {};
};

struct Load {
  std::size_t executions = 0;  // in memory
  std::size_t attempts = 0;    // with workers
};

/// Executions, carried out: the entry to everything below it. Every method may be called from any thread;
/// replies come on a shard's loop, after the commit.
class Runtime {
 public:
  Runtime(RuntimePorts ports, RuntimeOptions options);
  ~Runtime();

  /// Takes the store over: raises its epoch. Call first. Throws Unavailable when the storage fails.
  void claim(std::string_view owner);
  /// What commits beside the runtime's own must carry.
  ports::Fence fence() const { return commits_.fence(); }
  /// Goes on with everything an earlier process left unfinished; what only waits or is paused stays on disk
  /// until its time comes. Returns how many are unfinished.
  std::size_t recover_all();
  /// Goes on with one execution.
  void recover(const ExecutionId& id);
  /// No new attempts; those that run may finish until stop().
  void begin_shutdown();
  /// What is in memory, over all shards; answered through `reply` on a shard's loop.
  void count_load(UniqueFunction<void(Load)> reply);
  /// Records that the attempts that still run were given back, so that the next process repeats them at once
  /// and does not blame the execution.
  void give_back_attempts();

  void start_execution(StartRequest request, StartReply reply);
  /// With an idempotency entry that is taken the error is execution.duplicate.
  void deliver(const ExecutionId& id, engine::Input input, InputReply reply,
               std::optional<ports::IdempotencyEntry> idempotency = {});
  /// Changes a workflow, in the next group commit; `reply` comes on a shard's loop, after it.
  void write_workflow(ports::WorkflowWrite write, std::vector<ports::WorkflowVersion> versions,
                      UniqueFunction<void(ports::WriteOutcome)> reply);
  /// Decisions not yet on disk.
  std::size_t commit_depth() const { return commits_.depth(); }
  /// Records an event that no execution published; `reply` comes on a shard's loop, after the commit:
  /// duplicate_key when its idempotency key is taken.
  void publish(ports::PublishedEvent event, std::optional<ports::IdempotencyEntry> idempotency,
               UniqueFunction<void(ports::WriteOutcome)> reply);
  /// Somebody put something into the inbox of the store.
  void wake_inbox();
  /// What executions publish of their own accord.
  Announced& announced() { return announced_; }
  void watch_end(const ExecutionId& id, EndWatch watch, UniqueFunction<void()> missing);
  template <class Id = ExecutionId>
  Id make_id() {
    return make_uuid7<Id>(p_.clock.now(), p_.rng);
  }
  std::uint64_t draw_seed() { return p_.rng.next(); }
  const RuntimeOptions& options() const { return options_; }
  Catalog& catalog() { return catalog_; }
  Journal& journal() { return journal_; }

 private:
  ExecutionShard& shard_of(const ExecutionId& id);
  ports::Loop& loop_of(const ExecutionId& id);
  void drain_inbox();

  RuntimePorts p_;
  RuntimeOptions options_;
  Announced announced_;
  Catalog catalog_;
  Journal journal_;
  CommitQueue commits_;
  std::vector<std::unique_ptr<ExecutionShard>> shards_;
  std::unique_ptr<Sleepers> sleepers_;
  std::mutex inbox_mutex_;
  bool inbox_posted_ = false;                // guarded by inbox_mutex_
  std::set<std::uint64_t> inbox_under_way_;  // lives on the first shard's loop
};

}  // namespace fp::runtime

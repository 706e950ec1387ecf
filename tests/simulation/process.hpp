#pragma once

#include "auditor.hpp"
#include "faulty_store.hpp"
#include "runtime/runtime.hpp"
#include "simulated_evaluator.hpp"
#include "simulated_workers.hpp"
#include "support/virtual_world.hpp"

#include <memory>

namespace fp::simulation {

/// What all processes of a simulated machine share.
struct Machine {
  explicit Machine(std::uint64_t seed) : dice(seed), world(&dice.rng()), auditor(*disk, dice, tally) {}

  Tally tally;
  Dice dice;
  tests::VirtualWorld world;
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  Auditor auditor;
  EffectSink sink;
  bool calm = false;            // no more faults
  std::uint64_t processes = 0;  // started so far: only the newest may write
};

/// One life of a simulated process: the real runtime on the machine's disk, clock and dice. Destroying it is
/// the death of the process: nothing it had in memory or under way is left.
class Process final : public runtime::Observer {
 public:
  explicit Process(Machine& machine);
  ~Process() override;

  runtime::Runtime& runtime() { return *runtime_; }
  ports::Store& store() { return store_; }
  SimulatedWorkers& workers() { return *workers_; }
  /// The storage failed or another process took over: this one can only end.
  bool is_doomed() const { return doomed_; }
  void become_zombie() { zombie_ = true; }
  bool is_zombie() const { return zombie_; }
  /// What `flowpilot serve` does on SIGTERM. Runs the world until the process is quiet.
  void shut_down();
  /// The sandbox owes an answer.
  bool is_asking() const { return evaluator_->count_pending() > 0; }
  /// Nothing is in memory, no slot is held.
  void check_empty();

  void on_recorded(const runtime::Recorded& recorded) override;
  void on_log(const runtime::Logged& logged) override;

 private:
  void on_commit(store::CommitPhase phase, const ports::Batch& batch);
  void run_until_quiet();

  Machine& m_;
  const std::uint64_t number_;
  bool doomed_ = false;
  bool zombie_ = false;
  FaultyStore store_;
  std::unique_ptr<tests::VirtualLoop> commit_loop_;
  std::vector<std::unique_ptr<tests::VirtualLoop>> shard_loops_;
  std::unique_ptr<tests::VirtualLoop> outside_loop_;  // workers and sandbox
  std::unique_ptr<SimulatedEvaluator> evaluator_;
  std::unique_ptr<SimulatedWorkers> workers_;
  std::unique_ptr<runtime::Runtime> runtime_;
};

}  // namespace fp::simulation

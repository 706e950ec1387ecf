#pragma once

#include "dice.hpp"
#include "engine/engine.hpp"
#include "store/memory/memory_disk.hpp"
#include "store/memory/memory_store.hpp"
#include "tally.hpp"

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace fp::simulation {

/// What is durable of one execution, folded by the auditor itself, with what only an observer over time can
/// know.
struct Seen {
  engine::ExecutionState state;
  Hash128 chain{};
  std::size_t rows = 0;
  std::uint64_t last_paused_seq = 0;     // the newest event after which it was paused,
  std::uint64_t last_cancelled_seq = 0;  // ... cancelling,
  std::uint64_t last_terminal_seq = 0;   // ... ended
  std::uint64_t last_process = 0;        // that wrote to it
  std::uint32_t deaths = 0;              // in a row without anything recorded, counted here
  TimePoint undisturbed_since{};         // it could hear its timers from then on
  std::set<std::string> tokens;          // of the signals that reached it
  std::set<Hash128> texts;               // of its rows
};

/// Reads the disk after every commit and holds what it finds against the promises: numbering, hash chain,
/// legal steps only, no recorded task runs again, ends are final, parallelism, counters and timers that fit
/// the tasks, quarantine.
class Auditor {
 public:
  Auditor(store::MemoryDisk& disk, Dice& dice, Tally& tally) : disk_(disk), dice_(dice), tally_(tally) {}

  void know(const std::shared_ptr<const model::Workflow>& workflow) { workflows_[workflow->hash] = workflow; }
  /// A process took over, or the clock jumped: timers may be late once.
  void disturb(TimePoint now) { undisturbed_since_ = now; }
  void on_process(std::uint64_t number) { process_ = number; }
  /// The newest process ended in order: nothing it was the last to write to may count that as a death.
  void on_orderly_end() { orderly_.insert(process_); }

  void on_durable(const ports::Batch& batch);
  const Seen* find(const ExecutionId& id) const;
  const std::map<ExecutionId, Seen>& all() const { return seen_; }
  /// Every execution on disk that nobody has looked at yet is looked at.
  void check_inputs(const ports::Batch& batch);

 private:
  void follow(const ExecutionId& id);
  void take_row(Seen& seen, const ports::JournalRow& row, const store::MemoryState& disk);
  void check_event(Seen& seen, const engine::Event& event, TimePoint at);
  void note_event(Seen& seen, const engine::Event& event, TimePoint at);
  void check_state(const Seen& seen) const;
  void check_fan(const Seen& seen, const model::Step& step) const;

  store::MemoryDisk& disk_;
  Dice& dice_;
  Tally& tally_;
  std::map<std::string, std::shared_ptr<const model::Workflow>> workflows_;
  std::map<ExecutionId, Seen> seen_;
  TimePoint undisturbed_since_{};
  const bool trace_ = std::getenv("SIMULATION_TRACE") != nullptr;
  std::uint64_t process_ = 0;
  std::set<std::uint64_t> orderly_;
};

/// The name of an event in the tally.
std::string name_of(const engine::Event& event);

}  // namespace fp::simulation

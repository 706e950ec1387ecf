#pragma once

#include "engine/codec.hpp"
#include "engine/engine.hpp"
#include "ports/store.hpp"
#include "runtime/catalog.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace fp::runtime {

/// Where an execution's journal stands, as its next row needs it.
struct JournalPosition {
  Hash128 chain{};
  std::uint64_t snapshot_seq = 0;
  std::uint64_t log_batches = 0;
  std::optional<TimePoint> wake;         // the stored wake-up
  std::set<model::TaskRef> event_waits;  // the stored ones
  std::string status;                    // the stored status
};

struct LoadedState {
  engine::ExecutionState state;
  JournalPosition position;
};

struct RecordedEvent {
  std::uint64_t seq = 0;
  TimePoint at{};
  engine::Event event;
};

/// Everything recorded of one execution.
struct History {
  std::shared_ptr<const model::Workflow> workflow;
  std::vector<RecordedEvent> events;
  std::uint64_t log_batches = 0;
};

/// A part of what is recorded of one.
struct HistoryPage {
  std::shared_ptr<const model::Workflow> workflow;
  std::vector<RecordedEvent> events;
  std::uint64_t total = 0;
};

/// Turns decisions into rows and rows into states. Blocking; lives wherever it is called.
class Journal {
 public:
  Journal(ports::Store& store, Catalog& catalog, std::uint64_t snapshot_events = 1000)
      : store_(store), catalog_(catalog), snapshot_events_(snapshot_events) {}

  /// The write that records `events`, which have been applied to `state`; moves `position` on. Values of more
  /// than 64 KiB go to the blob store first. A snapshot is added when the journal has grown by
  /// `snapshot_events` or by as many as the execution has tasks, whichever is more, so that snapshots cost a
  /// constant share.
  ports::ExecutionWrite record(const engine::ExecutionState& state, std::span<const engine::Event> events,
                               TimePoint at, JournalPosition& position);

  /// Folds an execution out of the store; nullopt when there is none. Checks numbering and hash chain:
  /// storage.corrupt is thrown as Unavailable.
  std::optional<LoadedState> load(const ExecutionId& id, bool whole = false);
  /// Its events one by one, from the first; nullopt when there is no such execution. Checked like load().
  std::optional<History> history(const ExecutionId& id);
  /// Its events after `after`, at most `limit`; reads these alone. Checked like load(), from the row before
  /// on.
  std::optional<HistoryPage> page(const ExecutionId& id, std::uint64_t after, std::size_t limit);

 private:
  using EachRow = std::function<void(const ports::JournalRow&, std::vector<engine::Event>)>;
  void read_rows(const ports::LoadedExecution& loaded, const model::Workflow& workflow,
                 std::uint64_t last_seq, Hash128& chain, const EachRow& each);
  std::shared_ptr<const model::Workflow> workflow_of(const ExecutionId& id,
                                                     const ports::LoadedExecution& loaded);
  Json read_blob(const ExecutionId& id, const Json& reference);

  ports::Store& store_;
  Catalog& catalog_;
  std::uint64_t snapshot_events_;
};

/// What lists show of it now.
ports::ExecutionSummary summarize(const engine::ExecutionState& state);

}  // namespace fp::runtime

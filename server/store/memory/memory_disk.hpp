#pragma once

#include "ports/store.hpp"
#include "store/guarded.hpp"
#include "store/rollup_rules.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fp::store {

struct MemoryExecution {
  std::uint64_t number = 0;  // in the order of arrival
  ports::ExecutionSummary summary;
  std::vector<ports::JournalRow> rows;
  std::optional<ports::Snapshot> snapshot;
  std::optional<TimePoint> wake;
  std::vector<ports::LogBatch> log;
  std::set<std::string> blobs;

  std::uint64_t last_line() const { return log.empty() ? 0 : log.back().lines.back().number; }
  std::uint64_t last_seq() const { return rows.empty() ? 0 : rows.back().first_seq + rows.back().count - 1; }
};

/// What survives a crash: a plain value, so that a copy is a disk image.
struct MemoryState {
  struct Timer {
    TimePoint due{};
    std::uint64_t number = 0;
    ExecutionId id;
    auto operator<=>(const Timer&) const = default;
  };

  struct Wait {
    ports::EventWait wait;
    bool looked_back = false;
  };

  std::map<std::uint32_t, std::uint64_t> epochs;
  std::map<ExecutionId, MemoryExecution> executions;
  std::map<std::uint64_t, ExecutionId> by_number;
  std::set<Timer> timers;
  std::map<std::string, ports::WorkflowVersion, std::less<>> versions;
  std::map<std::string, std::vector<std::string>, std::less<>> hashes_by_name;
  std::map<WorkflowId, ports::WorkflowRecord> workflows;
  std::map<std::pair<WorkflowId, std::uint32_t>, ports::PublishedVersion> published;
  Rollups rollups;
  std::map<std::string, ports::IdempotencyEntry, std::less<>> keys;
  std::map<std::uint64_t, ports::InboxEntry> inbox;
  std::map<std::string, ports::TaskTypeRecord, std::less<>> task_types;
  std::map<std::tuple<WorkflowId, std::string, TimePoint>, ports::TickRecord> ticks;
  std::map<std::tuple<WorkflowId, std::string, std::uint64_t>, ports::HookRequestRecord> hook_requests;
  std::map<std::pair<WorkflowId, std::string>, ports::ScheduleState> schedule_states;
  std::map<std::string, std::string, std::less<>> blobs;
  std::map<std::uint64_t, ports::PublishedEvent> events;
  std::map<std::pair<ExecutionId, std::string>, Wait> event_waits;
  std::uint64_t next_event = 1;
  std::uint64_t next_execution = 1;
  std::uint64_t next_inbox = 1;
};

/// The disk of MemoryStore: it outlives the stores that are opened on it, as a real disk outlives processes.
/// Thread-safe.
class MemoryDisk {
 public:
  MemoryDisk() = default;
  explicit MemoryDisk(MemoryState state) : state_(std::move(state)) {}

  /// The disk as it is now, to go on from twice.
  std::shared_ptr<MemoryDisk> copy() const {
    return std::make_shared<MemoryDisk>(state_.with([](const MemoryState& state) { return state; }));
  }
  Guarded<MemoryState>& state() { return state_; }

 private:
  Guarded<MemoryState> state_;
};

}  // namespace fp::store

#pragma once

#include "api/services.hpp"
#include "runtime/observer.hpp"
#include "triggers/schedule_trigger.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fp::api {

/// Starts published workflows when their schedules are due. One execution a tick: the tick is recorded in the
/// transaction of its start, so that neither a crash in between nor a clock put back starts it twice. Every
/// tick leaves a row that says what became of it. A schedule can be paused, also by itself after failures in
/// a row: that is on disk and outlives versions and restarts. Wakes at least once a second, because clocks
/// are changed. A thread of its own; its other functions may be called from any thread.
class Scheduler final : public runtime::Observer {
 public:
  struct View {
    WorkflowId workflow;
    std::string workflow_name;
    std::uint32_t version = 0;
    triggers::ScheduleTrigger trigger;
    std::optional<triggers::Tick> next;
    bool waits = false;  // for an execution under way
    ports::ScheduleState state;
    std::optional<TimePoint> missed_at;  // its last tick, when nobody was there for it
  };

  explicit Scheduler(Services& services) : s_(services) {}
  ~Scheduler() override { stop(); }

  /// What was said about schedules before. Blocks. Comes before take_up().
  void load_states();
  /// Takes up the schedules of a published workflow where the last process left them. Blocks.
  void take_up(const KnownWorkflow& workflow);
  void start();
  /// Idempotent.
  void stop();
  /// A workflow was changed, and that is on disk.
  void remember(const KnownWorkflow& workflow);
  std::vector<View> list() const;
  /// Those that are paused, or whose last tick was missed; at most `limit`.
  std::vector<View> list_troubled(std::size_t limit) const;
  /// Error not_found: no published and enabled workflow has it.
  Result<View> find(const WorkflowId& workflow, const std::string& trigger) const;
  /// The document of its version; what find() gave may be of an older one.
  Result<std::shared_ptr<const model::Workflow>> find_document(const WorkflowId& workflow,
                                                               const std::string& trigger) const;
  /// No ticks until resume(). Durable on return. Blocks. Error not_found.
  Result<void> pause(ports::ScheduleState said);
  /// Goes on with the next tick. What came meanwhile is skipped, and a row says so. Blocks. Error not_found.
  Result<void> resume(ports::ScheduleState said);
  /// Starts an execution now, whatever the rules for overlap; the tick is this moment.
  void start_now(const CallPtr& call, Reply reply);
  void on_recorded(const runtime::Recorded& recorded) override;
  std::size_t count_paused() const;
  /// Ticks since the start that nobody was there for.
  std::uint64_t missed() const { return missed_.load(std::memory_order_relaxed); }
  /// Seconds that the tick waiting longest is overdue; 0 when none is.
  double lag_seconds() const;

 private:
  struct Entry {
    View view;
    std::shared_ptr<const model::Workflow> document;
    TimePoint due = TimePoint::max();
    bool knows_last = false;                    // was last_execution looked up?
    std::optional<ExecutionId> last_execution;  // that it started
    TimePoint last_started{};
    std::uint64_t generation = 0;
  };
  using Key = std::pair<WorkflowId, std::string>;

  void run();
  void rewind(TimePoint now);
  /// Pauses a schedule whose last executions all failed, when it asks for that.
  void judge_failures(const Key& key);
  void set_state(const Key& key, const ports::ScheduleState& said, std::optional<triggers::Tick> next);
  void add(const KnownWorkflow& workflow, const std::function<TimePoint(const std::string& trigger)>& since);
  std::optional<ExecutionId> find_last_execution(const WorkflowId& workflow,
                                                 const std::string& trigger) const;
  ports::ScheduleState state_of(const Key& key) const;
  void put(Key key, Entry entry, std::optional<triggers::Tick> next);
  /// What is due of one schedule, decided; the tick that is next.
  void process(const Key& key, Entry entry, TimePoint now);
  std::optional<triggers::Tick> fire_due(const Key& key, Entry& entry, TimePoint now);
  void fire(const Key& key, Entry& entry, triggers::Tick tick, TimePoint now);
  bool is_running(const Entry& entry) const;
  void note(const Key& key, TimePoint tick, std::string outcome, std::string reason);
  void start_execution(const Key& key, Entry& entry, triggers::Tick tick, TimePoint now);
  void try_again(const Key& key, std::uint64_t generation, triggers::Tick tick);

  Services& s_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Entry> entries_;                // guarded by mutex_
  std::set<std::pair<TimePoint, Key>> queue_;   // guarded by mutex_; of the entries, by due
  std::map<Key, ports::ScheduleState> states_;  // guarded by mutex_
  std::set<Key> failed_;                        // guarded by mutex_; with an execution that failed
  std::uint64_t generations_ = 0;               // guarded by mutex_
  bool is_stopping_ = false;                    // guarded by mutex_
  TimePoint last_look_{};                       // guarded by mutex_
  std::atomic<std::uint64_t> missed_{0};
  std::uint64_t decided_ = 0;  // the thread's own
  std::thread thread_;
};

void install_schedules(Router& router, Services& services, Scheduler& scheduler);

}  // namespace fp::api

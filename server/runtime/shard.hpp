#pragma once

#include "engine/engine.hpp"
#include "ports/expression.hpp"
#include "ports/loop.hpp"
#include "ports/worker_transport.hpp"
#include "runtime/commit_queue.hpp"
#include "runtime/journal.hpp"
#include "runtime/lease_table.hpp"
#include "runtime/observer.hpp"
#include "runtime/publish.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace fp::runtime {

struct RuntimeOptions {
  std::size_t most_active = 10'000;  // executions in memory; more are refused (runtime.overloaded)
  std::size_t most_pending_writes = 20'000;
  Milliseconds lease_ttl{15'000};  // a worker that is silent for so long has lost its attempts
  Milliseconds timeout_grace{
      2'000};  // a handler ends by itself within its time-out; after this the shard does it
  Milliseconds keep_awake{1'000};        // an execution that waits for less stays in memory
  std::uint32_t most_depth = 16;         // of child executions
  std::uint64_t snapshot_events = 1000;  // a journal that has grown by so many gets a snapshot
};

/// A request to start an execution.
struct StartRequest {
  ExecutionId id;
  std::shared_ptr<const model::Workflow> workflow;
  model::event::ExecutionStarted started;
  std::optional<ports::IdempotencyEntry> idempotency;
  std::optional<ports::TickRecord> tick;  // decided by this start; one that is decided already starts nothing
};

using StartReply =
    UniqueFunction<void(Result<const engine::ExecutionState*>)>;  // after the commit, with what it recorded
using InputReply =
    UniqueFunction<void(Result<void>)>;  // after the commit; an error says why it does not apply
using EndWatch = UniqueFunction<void(const engine::ExecutionState&)>;

/// What a shard needs of the world. All outlive it.
struct ShardPorts {
  ports::Store& store;
  ports::Loop& loop;
  CommitQueue& commits;
  Catalog& catalog;
  Journal& journal;
  ports::ExpressionEvaluator& expressions;
  ports::WorkerTransport& workers;
  const Clock& clock;
  Observer* observer;
  const Announced& announced;
  std::function<void()> wake_inbox;                              // something was put into the inbox
  std::function<void(const ExecutionId&)> wake_elsewhere;        // an execution of any shard wants a look
  std::function<void(const ExecutionId&, TimePoint)> note_wake;  // a sleeping execution is due then
};

/// The executions of one strand: owns their states in memory, decides, has decisions committed, carries the
/// commands out. Every method but those of the sink runs on the shard's loop. An execution that only
/// waits leaves memory and comes back when something happens to it. Nothing is told to anyone before it is on
/// disk.
class ExecutionShard final : public ports::WorkerTransport::Sink {
 public:
  ExecutionShard(ShardPorts ports, RuntimeOptions options);
  ~ExecutionShard() override;

  void start(StartRequest request, StartReply reply);
  /// Loads the execution when it is not in memory. `inbox` is the entry to consume with the decision.
  void deliver(const ExecutionId& id, engine::Input input, InputReply reply,
               std::optional<std::uint64_t> inbox = {},
               std::optional<ports::IdempotencyEntry> idempotency = {});
  /// Calls back when the execution has ended; at once when it already has. Error execution.unknown through
  /// `missing`.
  void watch_end(const ExecutionId& id, EndWatch watch, UniqueFunction<void()> missing);
  /// Goes on with an execution that an earlier process left unfinished, or that was just born. Idempotent.
  void recover(const ExecutionId& id);
  /// No new attempts from here on; what runs may finish.
  void begin_shutdown();
  /// Gives back the attempts that still run. Nothing is decided after that.
  void give_back_attempts();
  std::size_t count_running_attempts() const { return leases_.count_begun(); }
  std::size_t count_active() const { return active_.size(); }

  void on_report(ports::AttemptReport report) override;
  void on_started(ports::LeaseId lease) override;
  void on_lines(ports::LeaseId lease, std::vector<ports::LogLine> lines) override;
  void on_heartbeat(const std::vector<ports::LeaseId>& leases) override;
  void on_lost(ports::LeaseId lease) override;

 private:
  struct Active {
    engine::ExecutionState state;
    JournalPosition position;
    std::uint32_t writes_in_flight = 0;
    std::uint32_t attempts = 0;     // with workers, or waiting for a slot
    std::uint32_t evaluations = 0;  // with the sandbox
    std::vector<EndWatch> watches;
    std::optional<TimePoint> alarm;  // when this shard looks at its timers next
  };
  using ActivePtr = std::shared_ptr<Active>;
  struct Waiting {  // an attempt without a slot
    ExecutionId execution;
    engine::command::Dispatch dispatch;
  };

  ActivePtr find_active(const ExecutionId& id);
  ActivePtr load_active(const ExecutionId& id);
  Result<ActivePtr> try_load(const ExecutionId& id);
  void forget(const ActivePtr& active);
  ActivePtr adopt(LoadedState loaded);

  // One decision, from input to commands.
  struct Step {
    engine::Input input;
    InputReply reply;
    std::optional<std::uint64_t> inbox;
    std::vector<ports::StoredLogLine> log_lines;
    std::uint64_t log_batch = 0;  // their number
    std::uint64_t first_seq = 0;  // of the decision's events
    std::optional<ports::IdempotencyEntry> idempotency;
    std::optional<ports::TickRecord> tick;
    StartReply start_reply;
    std::vector<std::pair<engine::ExecutionState, engine::Event>>
        born;  // executions that start with this decision
    std::optional<Error> refusal;
    bool has_news = false;    // for the inbox
    bool has_events = false;  // for those who subscribe, or somebody waits for one
    UniqueFunction<void(ports::ReportFate)> settled;
  };
  void take(const ActivePtr& active, Step step);
  static void answer(Step& step);
  static void settle_report(Step& step, ports::ReportFate fate);
  void commit(const ActivePtr& active, engine::Decision decision, TimePoint at, Step step);
  void on_committed(const ActivePtr& active, const engine::Decision& decision, TimePoint at, Step& step,
                    const std::vector<ports::WriteOutcome>& outcomes);
  void tell_observer(const ActivePtr& active, const engine::Decision& decision, TimePoint at,
                     const Step& step, const std::vector<ports::WriteOutcome>& outcomes);
  void settle(const ActivePtr& active);
  void consume_only(const ExecutionId& id, std::uint64_t inbox);

  // shard_commands.cpp
  void prepare(const ActivePtr& active, const engine::Decision& decision, TimePoint at, Step& step,
               PendingWrite& write);
  void bear(const ActivePtr& parent, const ExecutionId& child, const std::string& workflow, Value input,
            std::optional<model::ParentLink> link, TimePoint at, PendingWrite& write, Step& step);
  void refuse_child(const ActivePtr& parent, const ExecutionId& child, const model::ParentLink& link,
                    TimePoint at, PendingWrite& write, Error error);
  void carry_out(const ActivePtr& active, engine::Command& command);
  void dispatch(const ActivePtr& active, engine::command::Dispatch& command);
  bool try_dispatch(const ActivePtr& active, const engine::command::Dispatch& command);
  void dispatch_waiting();
  void evaluate(const ActivePtr& active, engine::command::Evaluate& command);
  void cancel_attempt(const ExecutionId& id, model::TaskRef task, std::uint32_t attempt);

  // shard_time.cpp
  void set_alarm(const ActivePtr& active);
  void on_alarm(const ExecutionId& id, TimePoint at);
  void watch_leases();
  void check_leases();
  void take_report(ports::AttemptReport report);
  void take_loss(ports::LeaseId id);
  std::vector<ports::StoredLogLine> to_stored(const Active& active, const Lease& lease,
                                              std::vector<ports::LogLine> lines) const;
  void take_late_report(ports::AttemptReport report);

  ShardPorts p_;
  RuntimeOptions options_;
  std::unordered_map<ExecutionId, ActivePtr> active_;
  LeaseTable leases_;
  std::map<std::string, std::deque<Waiting>>
      waiting_;  // by step type: attempts for which no worker had a slot
  bool lease_watch_ = false;
  bool shutting_down_ = false;
  bool closed_ = false;  // nothing is decided any more
};

}  // namespace fp::runtime

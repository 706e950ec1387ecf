#pragma once

#include "base/result.hpp"
#include "ports/event_store.hpp"
#include "ports/rollup.hpp"
#include "ports/store_records.hpp"
#include "ports/workflow_records.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::ports {

/// All that one decision changes, for one execution. Empty parts change nothing. The first write of an
/// execution brings its summary; without one, a write for an execution that is not (or no longer) there is a
/// conflict.
struct ExecutionWrite {
  ExecutionId id;
  std::optional<JournalRow> row;  // first_seq must follow the last recorded event, or the write is a conflict
  std::optional<ExecutionSummary> summary;
  bool wake_changed = false;
  std::optional<TimePoint> wake_before;  // a hint where the wake-up row is; never decides the outcome
  std::optional<TimePoint> wake_after;   // the one wake-up from now on: the earliest of its timers, or none
  std::optional<Snapshot> snapshot;      // replaces the earlier one
  std::optional<IdempotencyEntry> idempotency;
  std::optional<TickRecord> tick;  // decided by this write; one that is decided already is a duplicate key
  std::vector<PublishedEvent> published;  // `number` and what became of them are ignored
  std::vector<EventWait> waits_begun;
  std::vector<std::string> waits_ended;  // EventWait::task of each
  std::vector<BlobRef> blobs;            // referenced by `row` or `snapshot`; put_blob came before
  std::vector<StoredLogLine> log_lines;  // one batch, of one attempt; comes before the events of `row`
  std::uint64_t log_after_seq = 0;       // LogBatch::after_seq of it
  std::optional<ExecutionSample> sample;
  std::vector<std::uint64_t> consumed_inbox;
  bool with_previous = false;  // recorded only if the nearest write before it without this mark was:
                               // a child is born with its parent's decision or not at all
};

struct Batch {
  Fence fence;
  std::vector<WorkflowVersion> versions;  // stored before the executions; known hashes are left as they are
  std::vector<ExecutionWrite> executions;
  std::vector<InboxEntry> inbox;  // `number` is ignored
  std::vector<WorkflowWrite> workflows;
};

enum class WriteOutcome {
  committed,
  conflict,      // another writer recorded these sequence numbers first, or a summary would leave a terminal
                 // status: this whole write left no trace
  duplicate_key  // the idempotency key is taken: this whole write left no trace; ask find_idempotency
};

struct LoadedExecution {
  ExecutionSummary summary;
  std::optional<Snapshot> snapshot;
  std::vector<JournalRow> rows;  // those after the snapshot, in order
  std::uint64_t log_batches = 0;
  std::optional<TimePoint> wake;
};

/// A part of a journal.
struct JournalPage {
  ExecutionSummary summary;
  std::uint64_t events = 0;      // recorded in all
  std::vector<JournalRow> rows;  // in order, none left out in between
  bool operator==(const JournalPage&) const = default;
};

struct DueExecution {
  ExecutionId id;
  TimePoint due{};
  bool operator==(const DueExecution&) const = default;
};

/// All given conditions hold.
struct ExecutionFilter {
  std::vector<std::string> status;  // any of these; none = any
  std::string workflow;             // id of a workflow, or its name
  std::string trigger;
  std::string label;   // "key=value" or "key"
  std::string search;  // in workflow name, id, error code, error message, labels; ASCII letters of any case
  std::optional<TimePoint> since;  // started at or after
  std::optional<TimePoint> until;  // started before
  std::optional<ExecutionId> parent;
  std::optional<ExecutionId> retry_of;
  bool unfinished_only = false;
};
struct ExecutionPage {
  std::vector<ExecutionSummary> items;  // newest first: in the reverse order of their first commits
  std::optional<std::uint64_t> next;    // pass as `before` for the following page. With conditions that no
                                        // index serves a page may hold fewer than asked for and still have a
                                        // next one: a bounded number of rows (50,000) is looked at for each
};
/// How many executions fit; exact up to `most`, which is what it gives for more.
struct ExecutionCount {
  std::uint64_t count = 0;
  bool is_exact = true;
};

struct PruneResult {
  std::size_t executions = 0;
  std::size_t blobs = 0;
  bool more = false;  // call again for the rest
};

/// The truth: journals and what is derived from them. Every verb blocks and may be called from any thread,
/// except that commit() is called from one thread at a time. Verbs throw fp::Unavailable when the storage
/// fails (storage.io, storage.full, storage.readonly, storage.corrupt): after a failed commit nothing more is
/// accepted, because nobody can know what reached the disk (fail-stop); reopen to go on.
class Store {
 public:
  virtual ~Store() = default;

  /// Takes a shard over: raises its epoch, which shuts out every earlier owner.
  virtual Fence claim_shard(std::uint32_t shard, std::string_view owner) = 0;

  /// One transaction for the whole batch, durable on return. Outcomes are per execution write: a conflict or
  /// a taken key leaves out that write alone. Error `storage.fenced` when the fence is old: nothing was
  /// written. Outcomes come in the order of batch.executions, then of batch.workflows.
  virtual Result<std::vector<WriteOutcome>> commit(const Batch& batch) = 0;

  virtual std::optional<WorkflowVersion> find_version(std::string_view hash) = 0;
  /// What a step means by `workflow: NAME`: the published version of the workflow with that id or, failing
  /// that, of the newest enabled and not deleted workflow with that name (its draft when nothing of it is
  /// published and the draft is valid: WorkflowRecord::draft); failing that the newest version stored under
  /// that name which no workflow ever published: a deleted or disabled workflow stands for nothing.
  virtual std::optional<NamedVersion> find_version_by_name(std::string_view name) = 0;
  /// Snapshot and the journal after it; nullopt when there is no such execution. With `whole` the journal
  /// from its first event on and no snapshot.
  virtual std::optional<LoadedExecution> load_execution(const ExecutionId& id, bool whole = false) = 0;
  /// The rows with the events after `after`, as many as hold `limit` of them, and first the row before those,
  /// if there is one: its chain vouches for the next. No rows when there are no such events; nullopt when
  /// there is no such execution. Takes the time of the page, however long the journal is.
  virtual std::optional<JournalPage> load_journal(const ExecutionId& id, std::uint64_t after,
                                                  std::size_t limit) = 0;
  virtual std::optional<ExecutionSummary> find_execution(const ExecutionId& id) = 0;
  virtual ExecutionPage list_executions(const ExecutionFilter& filter, std::optional<std::uint64_t> before,
                                        std::size_t limit) = 0;
  /// Takes the same time however many there are: without a filter, by status and by workflow it is counted as
  /// it is written; otherwise at most `most` rows are looked for.
  virtual ExecutionCount count_executions(const ExecutionFilter& filter, std::uint64_t most) = 0;

  /// Deleted ones too.
  virtual std::optional<WorkflowRecord> find_workflow(const WorkflowId& id) = 0;
  virtual WorkflowPage list_workflows(const WorkflowFilter& filter, std::optional<WorkflowId> after,
                                      std::size_t limit) = 0;
  virtual std::optional<PublishedVersion> find_published(const WorkflowId& id, std::uint32_t number) = 0;
  /// Newest first.
  virtual std::vector<PublishedVersion> list_published(const WorkflowId& id,
                                                       std::optional<std::uint32_t> below,
                                                       std::size_t limit) = 0;
  /// Ordered by hour, workflow, step.
  virtual std::vector<HourlyRollup> list_rollups(const RollupFilter& filter) = 0;
  /// Executions by status, counted as they are written.
  virtual std::map<std::string, std::uint64_t> count_by_status() = 0;
  /// Executions whose wake-up is due at or before `until`, earliest first; equal ones in the order they
  /// started.
  virtual std::vector<DueExecution> list_due(TimePoint until, std::size_t limit) = 0;
  /// When the next wake-up after `after` is due.
  virtual std::optional<TimePoint> find_next_due(TimePoint after) = 0;
  virtual std::optional<IdempotencyEntry> find_idempotency(std::string_view key) = 0;
  virtual std::vector<InboxEntry> list_inbox(std::size_t limit) = 0;
  virtual LogPage list_log(const ExecutionId& id, const LogFilter& filter, std::size_t limit) = 0;
  /// Whole batches, those with a number above `after`.
  virtual std::vector<LogBatch> list_log_batches(const ExecutionId& id, std::uint64_t after,
                                                 std::size_t limit) = 0;

  /// Durable on return; of a key that is known the time alone changes.
  virtual void put_keys(const std::vector<IdempotencyEntry>& entries) = 0;

  /// Durable on return; a type that is known is replaced.
  virtual void put_task_types(const std::vector<TaskTypeRecord>& types) = 0;
  /// By name.
  virtual std::vector<TaskTypeRecord> list_task_types() = 0;

  /// Durable on return; a tick that is decided already stays as it is.
  virtual void put_ticks(const std::vector<TickRecord>& ticks) = 0;
  /// Those before `before`, newest first.
  virtual std::vector<TickRecord> list_ticks(const WorkflowId& workflow, std::string_view trigger,
                                             TimePoint before, std::size_t limit) = 0;
  /// Deletes all but the `keep` newest of a schedule.
  virtual void trim_ticks(const WorkflowId& workflow, std::string_view trigger, std::size_t keep) = 0;

  /// What was published, and who waits for it. Lives as long as the store.
  virtual EventStore& events() = 0;
  /// One transaction, durable on return; of each webhook among them the `keep` newest stay.
  virtual void put_hook_requests(const std::vector<HookRequestRecord>& requests, std::size_t keep) = 0;
  /// Newest first.
  virtual std::vector<HookRequestRecord> list_hook_requests(const WorkflowId& workflow,
                                                            std::string_view trigger, std::size_t limit) = 0;
  /// The highest number among those kept; 0 when there are none.
  virtual std::uint64_t last_hook_request() = 0;
  /// Durable on return; replaces what was said before.
  virtual void put_schedule_state(const ScheduleState& state) = 0;
  virtual std::vector<ScheduleState> list_schedule_states() = 0;

  /// Durable before it returns; the same bytes are stored once. A blob no committed write refers to is
  /// collected later.
  virtual BlobRef put_blob(std::string_view bytes) = 0;
  /// Errors: blob.missing, blob.corrupt (the bytes do not match the hash).
  virtual Result<std::string> load_blob(const BlobRef& ref) = 0;

  /// Deletes executions that ended before `ended_before`, or whose own keep_until is before `now`, with all
  /// that belongs to them, at most `limit` (>= 1) in one transaction; one with a keep_until of its own is
  /// kept until then; then idempotency keys and handled events older than `keys_before`, requests of webhooks
  /// from before `ended_before`, and, once no more executions are to go, unreferenced blobs. Unfinished
  /// executions are never touched, nor is a blob whose commit may be under way: one that was put and never
  /// committed goes in the second sweep after that at the earliest. Safe beside commits.
  virtual PruneResult prune(TimePoint now, TimePoint ended_before, TimePoint keys_before,
                            std::size_t limit) = 0;
  /// Copies everything committed so far to a new directory that opens like this one, beside commits and
  /// without holding them up; durable when it returns. Errors: backup.exists (the directory is there and not
  /// empty), storage.*.
  virtual Result<void> back_up(const std::filesystem::path& target) = 0;
  /// What the engine itself finds wrong with its files, a sentence each; empty when all is well.
  virtual std::vector<std::string> check_integrity() = 0;
};

}  // namespace fp::ports

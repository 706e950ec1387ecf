#pragma once

#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/task_handler.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::ports {

/// Which owner may write: a commit whose epoch is older than the shard's is refused (fencing).
struct Fence {
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0;
  bool operator==(const Fence&) const = default;
};

/// The events of one decision, numbered without gaps within their execution.
struct JournalRow {
  std::uint64_t first_seq = 1;  // number of the first event of this row, from 1
  std::uint32_t count = 0;      // events in this row
  TimePoint at{};
  std::string events;  // JSON text, opaque to the store
  Hash128 chain{};     // chain_hash(chain of the row before, events)
  bool operator==(const JournalRow&) const = default;
};

/// A folded journal: the state after event `seq`.
struct Snapshot {
  std::uint64_t seq = 0;
  std::string state;  // JSON text, opaque to the store
  Hash128 chain{};    // chain of the journal row that ends with `seq`
  bool operator==(const Snapshot&) const = default;
};

/// What lists show of an execution. Written when it starts, when its status changes and when it ends; never
/// per step. The first write fixes what an execution is (workflow_name, version_hash, trigger, parent,
/// retry_of); later ones change only status, started_at, completed_at, error_code, error_message, labels and
/// round.
struct ExecutionSummary {
  ExecutionId id;
  std::string workflow_name;
  std::string version_hash;  // which document: WorkflowVersion::hash
  std::string status;        // pending running waiting paused completed failed cancelled
  std::string trigger = "manual";
  TimePoint started_at{};
  std::optional<TimePoint> completed_at;
  std::string error_code;
  std::string error_message;
  std::optional<ExecutionId> parent;
  std::optional<ExecutionId> retry_of;
  Json labels = JsonObject{};
  std::uint32_t round = 0;  // how often it was reopened: the only way out of `failed` is a higher round
  bool operator==(const ExecutionSummary&) const = default;
};
/// completed, failed and cancelled are final: no store ever leaves them, but for a failed execution that is
/// reopened.
bool is_terminal_status(std::string_view status);

/// An immutable workflow document, stored once by its content.
struct WorkflowVersion {
  std::string hash;  // hex of hash_256(document)
  std::string name;
  std::string document;  // canonical JSON text
  TimePoint created_at{};
  bool operator==(const WorkflowVersion&) const = default;
};

struct BlobRef {
  std::string hash;  // hex of hash_256(bytes)
  std::uint64_t size = 0;
  bool operator==(const BlobRef&) const = default;
};

struct StoredLogLine {
  std::string step;
  std::int64_t index = -1;  // -1 for a step without for_each
  std::uint32_t attempt = 0;
  LogLine line;
  bool operator==(const StoredLogLine&) const = default;
};

/// A client's promise that two requests are one. Kept 7 days.
struct IdempotencyEntry {
  std::string key;
  Hash256 request{};  // of the request's content: the same key with another request is a conflict
  ExecutionId execution;
  TimePoint at{};
  bool operator==(const IdempotencyEntry&) const = default;
};

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
  std::vector<BlobRef> blobs;  // referenced by `row` or `snapshot`; put_blob came before
  std::vector<StoredLogLine> log_lines;
  std::vector<std::uint64_t> consumed_inbox;
  bool with_previous = false;  // recorded only if the nearest write before it without this mark was:
                               // a child is born with its parent's decision or not at all
};

/// An input for an execution that some other process may own.
struct InboxEntry {
  std::uint64_t number = 0;  // given by the store
  ExecutionId execution;
  std::string input;  // JSON text, opaque to the store
  TimePoint at{};
  bool operator==(const InboxEntry&) const = default;
};

struct Batch {
  Fence fence;
  std::vector<WorkflowVersion> versions;  // stored before the executions; known hashes are left as they are
  std::vector<ExecutionWrite> executions;
  std::vector<InboxEntry> inbox;  // `number` is ignored
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
  std::optional<TimePoint> wake;
};

struct DueExecution {
  ExecutionId id;
  TimePoint due{};
  bool operator==(const DueExecution&) const = default;
};

struct ExecutionFilter {
  std::optional<std::string> status;
  std::optional<std::string> workflow_name;
  bool unfinished_only = false;
};
struct ExecutionPage {
  std::vector<ExecutionSummary> items;  // newest first (by id)
  std::optional<ExecutionId> next;      // pass as `after` for the following page
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
  /// written.
  virtual Result<std::vector<WriteOutcome>> commit(const Batch& batch) = 0;

  virtual std::optional<WorkflowVersion> find_version(std::string_view hash) = 0;
  /// The newest version of that name.
  virtual std::optional<WorkflowVersion> find_version_by_name(std::string_view name) = 0;
  /// Snapshot and the journal after it; nullopt when there is no such execution. With `whole` the journal
  /// from its first event on and no snapshot.
  virtual std::optional<LoadedExecution> load_execution(const ExecutionId& id, bool whole = false) = 0;
  virtual std::optional<ExecutionSummary> find_execution(const ExecutionId& id) = 0;
  virtual ExecutionPage list_executions(const ExecutionFilter& filter, std::optional<ExecutionId> after,
                                        std::size_t limit) = 0;
  /// Executions whose wake-up is due at or before `until`, earliest first; equal ones in the order they
  /// started.
  virtual std::vector<DueExecution> list_due(TimePoint until, std::size_t limit) = 0;
  /// When the next wake-up after `after` is due.
  virtual std::optional<TimePoint> find_next_due(TimePoint after) = 0;
  virtual std::optional<IdempotencyEntry> find_idempotency(std::string_view key) = 0;
  virtual std::vector<InboxEntry> list_inbox(std::size_t limit) = 0;
  virtual std::vector<StoredLogLine> list_log(const ExecutionId& id, std::size_t offset,
                                              std::size_t limit) = 0;

  /// Durable before it returns; the same bytes are stored once. A blob no committed write refers to is
  /// collected later.
  virtual BlobRef put_blob(std::string_view bytes) = 0;
  /// Errors: blob.missing, blob.corrupt (the bytes do not match the hash).
  virtual Result<std::string> load_blob(const BlobRef& ref) = 0;

  /// Deletes executions that ended before `ended_before` with all that belongs to them, at most `limit` (>=
  /// 1) in one transaction; then old idempotency keys and, once no more executions are to go, unreferenced
  /// blobs. Unfinished executions are never touched, nor is a blob whose commit may be under way: one that
  /// was put and never committed goes in the second sweep after that at the earliest. Safe beside commits.
  virtual PruneResult prune(TimePoint ended_before, TimePoint keys_before, std::size_t limit) = 0;
  /// What the engine itself finds wrong with its files, a sentence each; empty when all is well.
  virtual std::vector<std::string> check_integrity() = 0;
};

}  // namespace fp::ports

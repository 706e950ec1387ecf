#pragma once

#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "ports/task_handler.hpp"

#include <array>
#include <cstdint>
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
/// retry_of, workflow, workflow_version); later ones change only status, started_at, completed_at,
/// error_code, error_message, labels, round and keep_until.
struct ExecutionSummary {
  ExecutionId id;
  std::string workflow_name;
  std::string version_hash;            // which document: WorkflowVersion::hash
  std::optional<WorkflowId> workflow;  // none for a document that no workflow holds (`flowpilot run`)
  std::uint32_t workflow_version = 0;  // its number; 0 for a draft
  std::string status;                  // pending running waiting paused completed failed cancelled
  std::string trigger = "manual";
  TimePoint started_at{};
  std::optional<TimePoint> completed_at;
  std::string error_code;
  std::string error_message;
  std::optional<ExecutionId> parent;
  std::optional<ExecutionId> retry_of;
  Json labels = JsonObject{};
  std::uint32_t round = 0;  // how often it was reopened: the only way out of `failed` is a higher round
  std::optional<TimePoint> keep_until;  // set when it ends and its workflow says how long it is kept
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
  std::uint64_t number = 0;  // of the line in its execution, from 1; given by the store
  std::string step;
  std::int64_t index = -1;  // -1 for a step without for_each
  std::uint32_t attempt = 0;
  LogLine line;
  bool operator==(const StoredLogLine&) const = default;
};

/// The lines of one commit: they are of one attempt. Batches and events together make the one numbered stream
/// that watchers of an execution see: the n-th batch (from 1) with `after_seq` k is number k + n of it, and
/// event k comes after every batch whose after_seq is below k.
struct LogBatch {
  std::uint64_t number = 0;     // of the batch in its execution, from 1
  std::uint64_t after_seq = 0;  // the last event recorded before it
  std::vector<StoredLogLine> lines;
  bool operator==(const LogBatch&) const = default;
};

/// Which lines of an execution's log. All given conditions hold.
struct LogFilter {
  std::string step;  // "" = any
  std::optional<std::int64_t> index;
  std::optional<std::uint32_t> attempt;
  std::string lowest_level;  // "" = any; debug < info < warning < error
  std::string search;        // text to be found, ASCII letters of any case
  std::uint64_t after = 0;   // lines with a higher number only
  bool newest = false;       // the last `limit` that fit, instead of the first
};
struct LogPage {
  std::vector<StoredLogLine> lines;  // in order of their numbers
  bool more = false;  // there are more that fit, beyond the last (or, with `newest`, before the first)
};

/// A client's promise that two requests are one. Kept 7 days.
struct IdempotencyEntry {
  std::string key;
  Hash256 request{};  // of the request's content: the same key with another request is a conflict
  std::array<std::uint8_t, 16> subject{};  // id of what the request made or changed
  TimePoint at{};
  bool operator==(const IdempotencyEntry&) const = default;
};

/// What became of one time at which a schedule of a workflow was due. One a tick, for ever: so a tick starts
/// one execution at most.
struct TickRecord {
  WorkflowId workflow;
  std::string trigger;  // its id in the document
  TimePoint tick{};
  std::string outcome;  // fired, late, skipped, merged, missed, manual, backfilled
  std::string reason;   // a sentence, or ""
  std::optional<ExecutionId> execution;
  TimePoint decided_at{};
  bool takes_over = false;  // only written: of a tick that is decided and started nothing it takes the place
  bool operator==(const TickRecord&) const = default;
};

/// A request that a webhook got.
struct HookRequestRecord {
  std::uint64_t number = 0;  // given by the caller, growing over all webhooks
  WorkflowId workflow;
  std::string trigger;
  TimePoint at{};
  std::string record;  // JSON text, opaque to the store
  bool operator==(const HookRequestRecord&) const = default;
};

/// What somebody, or the server, said last about a schedule. It stays when the workflow gets a new version.
struct ScheduleState {
  WorkflowId workflow;
  std::string trigger;
  bool is_paused = false;
  std::string note;  // why, in a sentence, or ""
  std::string changed_by;
  TimePoint changed_at{};
  std::optional<ExecutionId> execution;  // whose failure was one too many
  bool operator==(const ScheduleState&) const = default;
};

/// A task type that workers registered, for processes that start before those workers come back.
struct TaskTypeRecord {
  std::string type;
  std::string spec;  // JSON text, opaque to the store
  TimePoint registered_at{};
  bool operator==(const TaskTypeRecord&) const = default;
};

/// An input for an execution that some other process may own.
struct InboxEntry {
  std::uint64_t number = 0;  // given by the store
  ExecutionId execution;
  std::string input;  // JSON text, opaque to the store
  TimePoint at{};
  bool operator==(const InboxEntry&) const = default;
};

}  // namespace fp::ports

#include "store/write_rules.hpp"

#include "base/assert.hpp"

namespace fp::store {

using ports::WriteOutcome;

namespace {

bool belongs_to_execution(const ports::ExecutionWrite& write) {
  return write.row || write.summary || write.wake_changed || write.snapshot || !write.blobs.empty() ||
         !write.log_lines.empty() || write.sample || !write.waits_begun.empty() || !write.waits_ended.empty();
}

bool leaves_terminal_status(const RecordedExecution& recorded, const ports::ExecutionSummary& summary) {
  if (!ports::is_terminal_status(recorded.status) || recorded.status == summary.status) return false;
  const bool is_reopened = recorded.status == "failed" && summary.round > recorded.round;
  return !is_reopened;
}

}  // namespace

WriteOutcome judge_write(const ports::ExecutionWrite& write, const RecordedExecution* recorded,
                         bool key_is_taken) {
  FP_ASSERT(!write.row || write.row->count > 0, "a journal row holds at least one event");
  FP_ASSERT(!write.summary || write.summary->id == write.id, "a summary is written with its own execution");
  if (key_is_taken) return WriteOutcome::duplicate_key;
  if (!recorded && !write.summary && belongs_to_execution(write)) return WriteOutcome::conflict;
  const auto last_seq = recorded ? recorded->last_seq : 0;
  if (write.row && write.row->first_seq != last_seq + 1) return WriteOutcome::conflict;
  if (recorded && write.summary && leaves_terminal_status(*recorded, *write.summary))
    return WriteOutcome::conflict;
  return WriteOutcome::committed;
}

WriteOutcome judge_write(const ports::WorkflowWrite& write, const RecordedWorkflow* recorded,
                         bool key_is_taken) {
  FP_ASSERT(!write.published || write.published->workflow == write.record.id,
            "a version is published with its own workflow");
  if (key_is_taken) return WriteOutcome::duplicate_key;
  const auto known = recorded ? *recorded : RecordedWorkflow{};
  if (write.record.revision != known.revision + 1) return WriteOutcome::conflict;
  const auto newest = known.newest_version + (write.published ? 1U : 0U);
  if (write.record.newest_version != newest) return WriteOutcome::conflict;
  if (write.published && write.published->number != newest) return WriteOutcome::conflict;
  return WriteOutcome::committed;
}

bool is_left_out(std::span<const ports::ExecutionWrite> writes, std::span<const WriteOutcome> outcomes) {
  auto at = outcomes.size();
  if (!writes[at].with_previous) return false;
  while (at > 0 && writes[at].with_previous) --at;
  return at < outcomes.size() && outcomes[at] != WriteOutcome::committed;
}

}  // namespace fp::store

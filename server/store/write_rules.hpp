#pragma once

#include "ports/store.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace fp::store {

/// What an engine must know of an execution before it may write to it.
struct RecordedExecution {
  std::uint64_t number = 0;    // in the order of arrival
  std::uint64_t last_seq = 0;  // number of its last recorded event
  std::string status;
  std::uint32_t round = 0;
};

/// May this write be recorded? `recorded` is null when the execution is unknown. The one place for the rules
/// that every engine shares; duplicate keys come first because a client's retry wants to hear of them.
ports::WriteOutcome judge_write(const ports::ExecutionWrite& write, const RecordedExecution* recorded,
                                bool key_is_taken);

/// What an engine must know of a workflow before it may write to it.
struct RecordedWorkflow {
  std::uint64_t revision = 0;
  std::uint32_t newest_version = 0;
};
/// The same for a change of a workflow; `recorded` is null when the workflow is unknown.
ports::WriteOutcome judge_write(const ports::WorkflowWrite& write, const RecordedWorkflow* recorded,
                                bool key_is_taken);

/// Does the next write of the batch go with one that left no trace? `outcomes` are those of the writes before
/// it.
bool is_left_out(std::span<const ports::ExecutionWrite> writes,
                 std::span<const ports::WriteOutcome> outcomes);

}  // namespace fp::store

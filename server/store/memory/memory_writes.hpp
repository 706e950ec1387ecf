#pragma once

#include "store/blob_pins.hpp"
#include "store/memory/memory_disk.hpp"

#include <cstddef>
#include <vector>

/// What changes a MemoryState: the writing verbs of ports::Store without locks and failures.
namespace fp::store {

std::vector<ports::WriteOutcome> apply_batch(MemoryState& state, const ports::Batch& batch);
bool is_tick_taken(const MemoryState& state, const ports::TickRecord& tick);
/// A tick that is taken stays as it is.
void add_tick(MemoryState& state, ports::TickRecord tick);
/// Each gives how many went.
std::size_t prune_executions(MemoryState& state, TimePoint now, TimePoint ended_before, std::size_t limit);
std::size_t prune_keys(MemoryState& state, TimePoint before, std::size_t limit);
std::size_t prune_hook_requests(MemoryState& state, TimePoint before, std::size_t limit);
std::size_t prune_blobs(MemoryState& state, const BlobPins& pins);

}  // namespace fp::store

#pragma once

#include "ports/store.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

/// Small valid values and the fixture for the contract suites of storage engines.
namespace fp::ports {

inline TimePoint at_ms(std::int64_t ms) {
  return TimePoint(Milliseconds(1'760'000'000'000 + ms));
}

inline ExecutionId test_id(std::uint32_t number) {
  ExecutionId id;
  for (std::size_t i = 0; i < 4; ++i)
    id.bytes[i] = id.bytes[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  id.bytes[6] = 0x70;
  return id;
}

/// The number that test_id made it of.
inline std::uint32_t test_number(const std::array<std::uint8_t, 16>& bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
         bytes[3];
}

inline WorkflowId test_workflow_id(std::uint32_t number) {
  return WorkflowId{test_id(number).bytes};
}

/// Of execution `number`; another number is another request.
inline IdempotencyEntry test_key(std::string key, std::uint32_t number, std::int64_t ms = 1) {
  return {std::move(key), hash_256(std::to_string(number)), test_id(number).bytes, at_ms(ms)};
}

inline WorkflowRecord test_workflow(std::uint32_t number, std::uint64_t revision = 1) {
  WorkflowRecord record;
  record.id = test_workflow_id(number);
  record.name = "flow";
  record.draft = "{\"name\":\"flow\",\"n\":" + std::to_string(number) + "}";
  record.draft_hash = to_hex(hash_256(record.draft));
  record.revision = revision;
  return record;
}

inline StoredLogLine test_line(std::string text, std::string level = "info") {
  return {0, "fetch", -1, 1, {at_ms(1), std::move(level), std::move(text)}};
}

inline ExecutionSummary test_summary(std::uint32_t number, std::string status = "running") {
  ExecutionSummary summary;
  summary.id = test_id(number);
  summary.workflow_name = "signup";
  summary.version_hash = "abc";
  summary.status = std::move(status);
  summary.started_at = at_ms(number);
  if (is_terminal_status(summary.status)) summary.completed_at = at_ms(number);
  return summary;
}

inline JournalRow test_row(std::uint64_t first_seq, std::uint32_t count = 1) {
  JournalRow row;
  row.first_seq = first_seq;
  row.count = count;
  row.at = at_ms(static_cast<std::int64_t>(first_seq));
  row.events = "[\"event " + std::to_string(first_seq) + "\"]";
  row.chain = chain_hash({}, row.events);
  return row;
}

inline ExecutionWrite start_write(std::uint32_t number, std::string status = "running") {
  ExecutionWrite write;
  write.id = test_id(number);
  write.row = test_row(1);
  write.summary = test_summary(number, std::move(status));
  return write;
}

inline ExecutionWrite row_write(std::uint32_t number, std::uint64_t first_seq, std::uint32_t count = 1) {
  ExecutionWrite write;
  write.id = test_id(number);
  write.row = test_row(first_seq, count);
  return write;
}

/// `Engine` has `Store& store()`, `void reopen()` (close in order and open the same data again),
/// `void damage_blob(const BlobRef&)` and `void lose_blob(const BlobRef&)`.
template <class Engine>
class StoreFixture : public ::testing::Test {
 protected:
  Store& store() { return engine_.store(); }

  std::vector<WriteOutcome> commit(std::vector<ExecutionWrite> writes) {
    Batch batch;
    batch.fence = fence_;
    batch.executions = std::move(writes);
    return commit(batch);
  }
  std::vector<WriteOutcome> commit(const Batch& batch) {
    auto outcomes = store().commit(batch);
    EXPECT_TRUE(outcomes) << (outcomes ? "" : outcomes.error().message);
    return outcomes ? *outcomes : std::vector<WriteOutcome>{};
  }
  WriteOutcome commit_one(ExecutionWrite write) {
    std::vector<ExecutionWrite> writes;
    writes.push_back(std::move(write));
    return commit(std::move(writes)).at(0);
  }
  PruneResult prune_all(TimePoint ended_before, TimePoint keys_before = {}, TimePoint now = {}) {
    PruneResult sum;
    for (bool more = true; more;) {
      const auto part = store().prune(now, ended_before, keys_before, 100);
      sum.executions += part.executions;
      sum.blobs += part.blobs;
      more = part.more;
    }
    return sum;
  }

  Engine engine_;
  Fence fence_;
};

}  // namespace fp::ports

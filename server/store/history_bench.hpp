#pragma once

#include "ports/store.hpp"

#include <fmt/format.h>

#include <string>

namespace fp::store {

// What the benchmarks fill a store with.

constexpr std::uint64_t kHistoryWorkflows = 10;
constexpr Milliseconds kHistorySpan{7LL * 24 * 3'600'000};

template <class Id>
Id make_id(std::uint64_t number) {
  Id id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  id.bytes[15] = static_cast<std::uint8_t>(number * 37);
  return id;
}

inline const char* status_of(std::uint64_t number) {
  if (number % 100'000 == 7) return "waiting";
  if (number % 100 == 3) return "failed";
  return number % 1000 == 4 ? "cancelled" : "completed";
}

inline ports::ExecutionSample make_sample(const ports::ExecutionSummary& summary, std::uint64_t number) {
  const Milliseconds span(20 + static_cast<std::int64_t>(number * 7919 % 5'000));
  ports::ExecutionSample sample{
      to_string(*summary.workflow), summary.status, *summary.completed_at, span, {}};
  for (const char* step : {"welcome", "crm", "is_vip", "notify", "done"})
    sample.steps.push_back({step, "completed", 1, 0, span / 5, Milliseconds(number % 20)});
  return sample;
}

/// One of `total` executions of ten workflows that are spread over a week from `start` on; one of 100,000
/// waits, the others have ended and have a sample.
inline ports::ExecutionWrite make_history(std::uint64_t number, std::uint64_t total, TimePoint start) {
  ports::ExecutionWrite write;
  write.id = make_id<ExecutionId>(number);
  const auto at = start + Milliseconds(static_cast<std::int64_t>(number) *
                                       (kHistorySpan.count() / static_cast<std::int64_t>(total)));
  write.row = ports::JournalRow{1, 1, at, std::string(150, 'e'), {}};
  auto& summary = write.summary.emplace();
  summary.id = write.id;
  summary.workflow = make_id<WorkflowId>(number % kHistoryWorkflows);
  summary.workflow_name = fmt::format("workflow {}", number % kHistoryWorkflows);
  summary.version_hash = std::string(64, 'a');
  summary.status = status_of(number);
  summary.started_at = at;
  summary.labels = JsonObject{{"customer", fmt::format("c{}", number % 997)}};
  if (summary.status == "failed") summary.error_message = "the CRM did not answer";
  if (!ports::is_terminal_status(summary.status)) return write;
  summary.completed_at = at;
  write.sample = make_sample(summary, number);
  return write;
}

}  // namespace fp::store

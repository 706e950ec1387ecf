#include "store/rollup_rules.hpp"

#include <chrono>

namespace fp::store {

using namespace fp::ports;

namespace {

std::uint64_t* counter_of(HourlyRollup& rollup, std::string_view status) {
  if (status == "completed") return &rollup.completed;
  if (status == "failed") return &rollup.failed;
  return status == "cancelled" ? &rollup.cancelled : nullptr;
}

bool is_counted(std::string_view status) {
  HourlyRollup any;
  return counter_of(any, status) != nullptr;
}

HourlyRollup& row_of(Rollups& rollups, TimePoint hour, const std::string& workflow, const std::string& step) {
  auto& row = rollups[{hour, workflow, step}];
  row.hour = hour;
  row.workflow = workflow;
  row.step = step;
  return row;
}

}  // namespace

void add_sample(Rollups& rollups, const ExecutionSample& sample) {
  const TimePoint hour = std::chrono::floor<std::chrono::hours>(sample.ended_at);
  std::uint64_t retries = 0;
  for (const auto& step : sample.steps) {
    retries += step.retries;
    if (!is_counted(step.status)) continue;
    auto& row = row_of(rollups, hour, sample.workflow, step.step);
    *counter_of(row, step.status) += step.tasks;
    row.retries += step.retries;
    row.duration.add(step.duration);
    row.queue_wait.add(step.queue_wait);
  }
  if (!is_counted(sample.status)) return;
  auto& row = row_of(rollups, hour, sample.workflow, "");
  ++*counter_of(row, sample.status);
  row.retries += retries;
  row.duration.add(sample.duration);
}

void merge(HourlyRollup& rollup, const HourlyRollup& other) {
  rollup.completed += other.completed;
  rollup.failed += other.failed;
  rollup.cancelled += other.cancelled;
  rollup.retries += other.retries;
  rollup.duration.add(other.duration);
  rollup.queue_wait.add(other.queue_wait);
}

}  // namespace fp::store

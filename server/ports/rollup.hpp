#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fp::ports {

/// How one execution went, for the hourly rollups; written with the write that ends it.
struct ExecutionSample {
  std::string workflow;  // id when a workflow holds it, name otherwise
  std::string status;    // completed, failed, cancelled
  TimePoint ended_at{};
  Milliseconds duration{};
  struct Step {
    std::string step;
    std::string status;       // completed, failed, skipped, cancelled
    std::uint32_t tasks = 1;  // those of a for_each step together; counted, but timed as one
    std::uint32_t retries = 0;
    Milliseconds duration{};    // of the work
    Milliseconds queue_wait{};  // from ready to begun
    bool operator==(const Step&) const = default;
  };
  std::vector<Step> steps;  // those that ran
  bool operator==(const ExecutionSample&) const = default;
};

/// The longest duration that the bucket counts: 2^(bucket/4) ms, rounded down.
Milliseconds histogram_limit(std::uint16_t bucket);

/// Counts of durations by size: bucket i counts those of at most histogram_limit(i) and more than the one
/// before. Buckets grow by the fourth root of two from 1 ms, so that a percentile read from them is at most
/// 19 % too high.
struct DurationHistogram {
  std::map<std::uint16_t, std::uint64_t> buckets;
  void add(Milliseconds duration, std::uint64_t times = 1);
  void add(const DurationHistogram& other);
  std::uint64_t count() const;
  /// The duration below which that share (0 to 1) lies; nullopt when it is empty.
  std::optional<Milliseconds> percentile(double share) const;
  bool operator==(const DurationHistogram&) const = default;
};

/// One hour of one workflow, or with `step` of one step of it.
struct HourlyRollup {
  std::string workflow;
  std::string step;  // "" = the execution as a whole
  TimePoint hour{};
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;  // of a step also: skipped ones are not counted
  std::uint64_t retries = 0;
  DurationHistogram duration;
  DurationHistogram queue_wait;
  bool operator==(const HourlyRollup&) const = default;
};
struct RollupFilter {
  std::string workflow;  // "" = all of them, each for itself
  bool with_steps = false;
  TimePoint since{};
  TimePoint until{};
};

}  // namespace fp::ports

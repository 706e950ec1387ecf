#pragma once

#include "api/operations.hpp"
#include "runtime/observer.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fp::api {

/// A Prometheus histogram with fixed bounds, in seconds. Thread-safe, without locks.
class Histogram {
 public:
  static constexpr std::array<double, 14> kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                     0.1,    0.25,  0.5,    1,     5,    30,    300};
  void add(double seconds);
  void append(std::string& out, std::string_view name, const std::string& labels) const;

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> sum_us_{0};
};

/// Transactions of the store, as the runtime tells of them. Thread-safe.
struct CommitFigures {
  Histogram seconds;
  std::atomic<std::uint64_t> decisions{0};
  void add(std::chrono::nanoseconds took, std::size_t count) {
    seconds.add(std::chrono::duration<double>(took).count());
    decisions.fetch_add(count, std::memory_order_relaxed);
  }
};

/// The figures of /metrics, by the names that operators know (one prefix, base units, `_total`). Labels are
/// bounded: routes and step types are tables, workflow names are capped at 200 and the rest is `other`.
/// Counts what is on disk. Thread-safe.
class Metrics final : public runtime::Observer {
 public:
  void on_recorded(const runtime::Recorded& recorded) override;
  void on_request(const OperationSpec* spec, std::string_view method, unsigned status,
                  std::chrono::nanoseconds took);

  /// A value read when it is asked for. Call before the first request.
  void add_gauge(std::string name, std::string help, std::function<double()> read);
  /// The same for one that only grows; `labels` such as `outcome="refused"`, those of one name in a row.
  void add_counter(std::string name, std::string labels, std::string help, std::function<double()> read);
  void set_commits(const CommitFigures* commits) { commits_ = commits; }
  /// The Prometheus text exposition format 0.0.4.
  std::string render() const;

 private:
  struct WorkflowCounts {
    std::map<std::string, std::uint64_t, std::less<>> started;  // by trigger
    std::map<std::string, std::uint64_t, std::less<>> ended;    // by status
  };
  struct StepCounts {
    std::map<std::string, std::uint64_t, std::less<>> attempts;  // by outcome
  };
  struct Gauge {
    std::string name;
    std::string help;
    std::function<double()> read;
    std::string labels;
    bool is_counter = false;
  };
  WorkflowCounts& counts_of(const std::string& workflow);
  void count_attempt(const runtime::Recorded& recorded, model::TaskRef task, const char* outcome,
                     std::optional<TimePoint> started_at);

  static constexpr std::size_t kMostWorkflows = 200;
  mutable std::mutex mutex_;
  std::map<std::string, WorkflowCounts> workflows_;                      // guarded by mutex_
  std::map<std::string, StepCounts> steps_;                              // guarded by mutex_
  std::map<std::string, std::uint64_t> requests_;                        // guarded by mutex_; by labels
  std::map<std::string, std::unique_ptr<Histogram>> request_durations_;  // guarded by mutex_; by route
  Histogram execution_duration_;
  Histogram step_duration_;
  Histogram queue_wait_;
  std::vector<Gauge> gauges_;
  const CommitFigures* commits_ = nullptr;
};

/// Every metric of this process's own (memory, CPU, descriptors, start), as Prometheus clients name them.
std::string render_process_metrics();

}  // namespace fp::api

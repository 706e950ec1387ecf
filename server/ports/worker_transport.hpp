#pragma once

#include "base/result.hpp"
#include "ports/task_handler.hpp"

#include <cstdint>
#include <vector>

namespace fp::ports {

/// The right to carry out one attempt, until it is renewed no more.
using LeaseId = std::uint64_t;

/// What became of a report. Only `recorded` is on disk.
enum class ReportFate {
  recorded,
  late,    // the attempt was given up before; a success is kept as evidence
  dropped  // the process ends: the attempt is the next one's
};

struct AttemptReport {
  LeaseId lease = 0;
  Result<Json> outcome{Json(nullptr)};
  std::optional<TimePoint> started_at;
  std::vector<LogLine> log_lines;
  /// Called once, on any thread, after what follows from the report was carried out; may be empty.
  UniqueFunction<void(ReportFate)> settled = {};
};

enum class Dispatched {
  refused,  // every slot is taken: the caller keeps the attempt and tries again after the next report
  running,  // it is being carried out
  queued    // it waits for a worker as long as it takes; on_started tells when one has it
};

/// Carries attempts to those who do them: threads of this process, or workers elsewhere. Thread-safe.
class WorkerTransport {
 public:
  /// How results and signs of life come back: from any thread, also from within dispatch().
  struct Sink {
    virtual ~Sink() = default;
    virtual void on_report(AttemptReport report) = 0;
    /// A worker took an attempt that was queued: its lease and its time-out count from now.
    virtual void on_started(LeaseId lease) = 0;
    /// Lines of an attempt that goes on.
    virtual void on_lines(LeaseId lease, std::vector<LogLine> lines) = 0;
    virtual void on_heartbeat(const std::vector<LeaseId>& leases) = 0;
    /// The worker that had the attempt is gone.
    virtual void on_lost(LeaseId lease) = 0;
  };
  virtual ~WorkerTransport() = default;

  virtual Dispatched dispatch(LeaseId lease, AttemptRequest request, Sink& sink) = 0;
  /// Asks the attempt to end; its report, if one still comes, is late.
  virtual void cancel(LeaseId lease, Sink& sink) = 0;
};

}  // namespace fp::ports

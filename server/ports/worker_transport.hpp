#pragma once

#include "base/result.hpp"
#include "ports/task_handler.hpp"

#include <cstdint>
#include <vector>

namespace fp::ports {

/// The right to carry out one attempt, until it is renewed no more.
using LeaseId = std::uint64_t;

struct AttemptReport {
  LeaseId lease = 0;
  Result<Json> outcome{Json(nullptr)};
  std::optional<TimePoint> started_at;
  std::vector<LogLine> log_lines;
};

/// Carries attempts to those who do them: threads of this process, or workers elsewhere. Thread-safe.
class WorkerTransport {
 public:
  /// How results and signs of life come back: from any thread, also from within dispatch().
  struct Sink {
    virtual ~Sink() = default;
    virtual void on_report(AttemptReport report) = 0;
    /// Lines of an attempt that goes on.
    virtual void on_lines(LeaseId lease, std::vector<LogLine> lines) = 0;
    virtual void on_heartbeat(const std::vector<LeaseId>& leases) = 0;
  };
  virtual ~WorkerTransport() = default;

  /// Takes the attempt over, or says that every slot is taken (false): the caller keeps it and tries again
  /// after the next report.
  virtual bool dispatch(LeaseId lease, AttemptRequest request, Sink& sink) = 0;
  /// Asks the attempt to end; its report, if one still comes, is late.
  virtual void cancel(LeaseId lease, Sink& sink) = 0;
};

}  // namespace fp::ports

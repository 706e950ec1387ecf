#pragma once

#include "base/ids.hpp"
#include "model/task_type.hpp"
#include "ports/task_handler.hpp"
#include "ports/worker_transport.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What workers and the server tell each other (docs/reference/worker-protocol.md), as plain values.
namespace fp::workers {

using WorkerId = Uuid<struct WorkerTag>;

struct Registration {
  std::string name;
  std::string host;
  std::uint64_t pid = 0;
  std::string sdk;
  std::string runtime;
  std::vector<std::string> queues;
  std::uint32_t slots = 1;
  std::vector<model::TaskTypeSpec> functions;
  Json problems = JsonArray();  // of modules that could not be imported: [{module, title, traceback}]
  Json isolation;               // layers that hold around it, or null
};

/// What came of one lease.
struct LeaseReport {
  std::string lease;
  Result<Json> outcome{Json(nullptr)};
};
struct Heartbeat {
  std::string lease;
  std::optional<Json> details;
};
struct LeaseLog {
  std::string lease;
  std::vector<ports::LogLine> lines;
};

struct Exchange {
  std::vector<LeaseReport> reports;
  std::vector<Heartbeat> heartbeats;
  std::vector<LeaseLog> logs;
  std::uint32_t max = 0;  // leases wanted
  Milliseconds wait{0};   // for one, when there is nothing to say
  std::shared_ptr<const std::atomic<bool>>
      is_gone;  // true once nobody reads the answer any more; may be null
};

struct GrantedLease {
  std::string lease;
  ports::AttemptRequest attempt;
  TimePoint deadline{};
  Json last_details;  // what the attempt before this one said last about its progress, or null
};

struct ExchangeAnswer {
  std::vector<GrantedLease> leases;
  std::vector<std::string> acknowledged;
  std::vector<std::string> lost;
  std::vector<std::string> cancelled;
  bool draining = false;
};

/// An attempt some worker has.
struct LeaseView {
  std::string lease;
  std::string execution;
  std::string step;
  std::string step_type;
  std::uint32_t attempt = 0;
  TimePoint since{};
  Json details;  // of its newest heartbeat, or null
};
struct WorkerView {
  WorkerId id;
  Registration registration;
  std::string status;  // active, draining, silent
  TimePoint registered_at{};
  TimePoint last_seen_at{};
  std::vector<LeaseView> leases;
};
struct QueueView {
  std::string queue;
  std::string step_type;
  std::size_t waiting = 0;
  std::size_t running = 0;
  std::size_t workers = 0;
  std::optional<TimePoint> oldest;
};

}  // namespace fp::workers

#pragma once

#include "ports/worker_transport.hpp"
#include "workers/worker_hub.hpp"

namespace fp::workers {

/// Functions (a dot in their name) go to the workers that registered them, every other type to the worker of
/// this process. Thread-safe.
class WorkerTransports final : public ports::WorkerTransport {
 public:
  WorkerTransports(ports::WorkerTransport& built_in, WorkerHub& hub) : built_in_(built_in), hub_(hub) {}

  ports::Dispatched dispatch(ports::LeaseId lease, ports::AttemptRequest request, Sink& sink) override;
  void cancel(ports::LeaseId lease, Sink& sink) override;

 private:
  ports::WorkerTransport& built_in_;
  WorkerHub& hub_;
};

}  // namespace fp::workers

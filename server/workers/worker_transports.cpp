#include "workers/worker_transports.hpp"

namespace fp::workers {

ports::Dispatched WorkerTransports::dispatch(ports::LeaseId lease, ports::AttemptRequest request,
                                             Sink& sink) {
  const bool is_function = request.step_type.find('.') != std::string::npos;
  ports::WorkerTransport& carrier = is_function ? static_cast<ports::WorkerTransport&>(hub_) : built_in_;
  return carrier.dispatch(lease, std::move(request), sink);
}

/// Whoever has it stops; to the other the lease means nothing.
void WorkerTransports::cancel(ports::LeaseId lease, Sink& sink) {
  built_in_.cancel(lease, sink);
  hub_.cancel(lease, sink);
}

}  // namespace fp::workers

#include "api/services.hpp"
#include "base/error_code.hpp"
#include "runtime/execution_view.hpp"

#include <fmt/format.h>

namespace fp::api {

void post(Services& services, Reply reply, UniqueFunction<void(Reply&)> job) {
  auto shared = std::make_shared<Reply>(std::move(reply));
  Pool::Job posted = [shared, job = std::move(job)]() mutable {
    try {
      job(*shared);
    } catch (const Unavailable& unavailable) {
      if (*shared) (*shared)(unavailable.error());
    }
  };
  if (!services.pool.post(posted))
    (*shared)(Error(codes::server_overloaded, "too many requests wait; try again soon"));
}

template <class Id>
Result<std::optional<Id>> find_repeated(Services& services, const Call& call) {
  if (call.idempotency_key.empty()) return std::optional<Id>();
  const auto earlier = services.store.find_idempotency(call.idempotency_key);
  if (!earlier) return std::optional<Id>();
  if (earlier->request != call.fingerprint())
    return Error(codes::idempotency_conflict, "this Idempotency-Key came before with another path or body");
  return std::optional<Id>(Id{earlier->subject});
}
template Result<std::optional<ExecutionId>> find_repeated(Services&, const Call&);
template Result<std::optional<WorkflowId>> find_repeated(Services&, const Call&);
template Result<std::optional<EventId>> find_repeated(Services&, const Call&);

Result<Json> load_resource(Services& services, const ExecutionId& id) {
  const auto loaded = services.runtime.journal().load(id);
  if (!loaded) return Error(codes::not_found, fmt::format("there is no execution {}", to_string(id)));
  return runtime::to_resource(loaded->state, runtime::kShownBytes);
}

}  // namespace fp::api

#include "api/end_waits.hpp"

namespace fp::api {

bool EndWaits::add(const ExecutionId& id, Milliseconds most, Done& done) {
  {
    const std::lock_guard lock(mutex_);
    if (waits_.size() >= kMostWaits) return false;
    waits_.emplace(id, std::move(done));
    count_.store(waits_.size(), std::memory_order_relaxed);
  }
  timers_.post_after(most, [this, id] {
    if (auto late = take(id)) late(nullptr, nullptr);
  });
  return true;
}

void EndWaits::drop(const ExecutionId& id) {
  take(id);
}

void EndWaits::release() {
  std::unordered_map<ExecutionId, Done> released;
  {
    const std::lock_guard lock(mutex_);
    released.swap(waits_);
    count_.store(0, std::memory_order_relaxed);
  }
  for (auto& [id, done] : released) done(nullptr, nullptr);
}

EndWaits::Done EndWaits::take(const ExecutionId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = waits_.find(id);
  if (found == waits_.end()) return {};
  auto done = std::move(found->second);
  waits_.erase(found);
  count_.store(waits_.size(), std::memory_order_relaxed);
  return done;
}

void EndWaits::on_recorded(const runtime::Recorded& recorded) {
  if (count() == 0) return;
  for (const auto& event : recorded.events) {
    const auto* completed = std::get_if<model::event::TaskCompleted>(&event);
    const bool responded =
        completed != nullptr && recorded.state.workflow->steps[completed->task.step].type->type == "respond";
    if (!responded && !std::holds_alternative<model::event::ExecutionEnded>(event)) continue;
    if (auto done = take(recorded.state.id))
      done(&recorded.state, responded ? completed->output.get() : nullptr);
    return;
  }
}

}  // namespace fp::api

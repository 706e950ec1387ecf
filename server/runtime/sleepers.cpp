#include "runtime/sleepers.hpp"

#include <algorithm>

namespace fp::runtime {

Sleepers::Sleepers(ports::Store& store, ports::Loop& loop, const Clock& clock,
                   std::function<void(const ExecutionId&)> wake, std::function<void(const Error&)> on_failure)
    : store_(store), loop_(loop), clock_(clock), wake_(std::move(wake)), on_failure_(std::move(on_failure)) {}

void Sleepers::start() {
  if (load()) set_alarm();
}

/// False when the storage failed: everything ends then.
bool Sleepers::load() {
  const auto until = clock_.now() + kHorizon;
  std::vector<ports::DueExecution> due;
  try {
    due = store_.list_due(until, kMostNear);
  } catch (const Unavailable& failed) {
    on_failure_(failed.error());
    return false;
  }
  for (const auto& sleeper : due) {
    // Earlier ones were read or noted before; one that has been woken may not have got round to changing its
    // row.
    if (sleeper.due >= loaded_until_) near_.emplace(sleeper.due, sleeper.id);
  }
  loaded_until_ = std::max(loaded_until_, due.size() < kMostNear ? until : due.back().due);
  return true;
}

void Sleepers::note(const ExecutionId& id, TimePoint due) {
  if (due > loaded_until_) return;  // a row; load() finds it in time
  near_.emplace(due, id);
  set_alarm();
}

void Sleepers::set_alarm() {
  // Half a horizon ahead at the latest, so that no row is read late.
  auto next = std::min(loaded_until_, clock_.now() + kHorizon / 2);
  if (!near_.empty())
    next = std::min(next, near_.begin()->first);
  else
    next = std::max(next, clock_.now() + kPause);  // a page full of those just woken
  if (alarm_ && *alarm_ <= next) return;
  alarm_ = next;
  loop_.post_at(next, [this, next] {
    if (alarm_ != next) return;  // an earlier alarm has taken this one's place
    alarm_.reset();
    ring();
  });
}

void Sleepers::ring() {
  const auto now = clock_.now();
  while (!near_.empty() && near_.begin()->first <= now) {
    const auto id = near_.begin()->second;
    near_.erase(near_.begin());
    wake_(id);
  }
  if ((near_.empty() || loaded_until_ < now + kHorizon / 2) && !load()) return;
  set_alarm();
}

}  // namespace fp::runtime

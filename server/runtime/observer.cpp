#include "runtime/observer.hpp"

namespace fp::runtime {

void Observer::on_started(const engine::ExecutionState&, model::TaskRef, TimePoint) {}
void Observer::on_log(const Logged&) {}

void ObserverList::on_recorded(const Recorded& recorded) {
  for (auto* observer : observers_) observer->on_recorded(recorded);
}
void ObserverList::on_started(const engine::ExecutionState& state, model::TaskRef task, TimePoint at) {
  for (auto* observer : observers_) observer->on_started(state, task, at);
}
void ObserverList::on_log(const Logged& logged) {
  for (auto* observer : observers_) observer->on_log(logged);
}

}  // namespace fp::runtime

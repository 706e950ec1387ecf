#include "runtime/observer.hpp"

namespace fp::runtime {

void Observer::on_started(const engine::ExecutionState&, model::TaskRef, TimePoint) {}
void Observer::on_log(const Logged&) {}
void Observer::on_events() {}

void ObserverList::on_recorded(const Recorded& recorded) {
  for (auto* observer : observers_) observer->on_recorded(recorded);
}
void ObserverList::on_started(const engine::ExecutionState& state, model::TaskRef task, TimePoint at) {
  for (auto* observer : observers_) observer->on_started(state, task, at);
}
void ObserverList::on_log(const Logged& logged) {
  for (auto* observer : observers_) observer->on_log(logged);
}
void ObserverList::on_events() {
  for (auto* observer : observers_) observer->on_events();
}

}  // namespace fp::runtime

#include "support/virtual_world.hpp"

#include <algorithm>

namespace fp::tests {

std::unique_ptr<VirtualLoop> VirtualWorld::make_loop() {
  auto loop = std::make_unique<VirtualLoop>(*this);
  loops_.push_back(loop.get());
  return loop;
}

VirtualLoop::~VirtualLoop() {
  std::erase(world_.loops_, this);
  std::erase_if(world_.timed_, [this](const auto& entry) { return entry.second.first == this; });
}

void VirtualLoop::drop() {
  // Jobs own what they captured, whose end may post again.
  const auto dropped = std::exchange(ready_, {});
  std::erase_if(world_.timed_, [this](const auto& entry) { return entry.second.first == this; });
}

bool VirtualWorld::is_quiet() const {
  return std::all_of(loops_.begin(), loops_.end(), [](const VirtualLoop* loop) { return loop->ready_.empty(); });
}

bool VirtualWorld::step(TimePoint until) {
  std::vector<VirtualLoop*> ready;
  for (auto* loop : loops_) {
    if (!loop->ready_.empty()) ready.push_back(loop);
  }
  if (!ready.empty()) {
    auto* chosen = shuffle_ != nullptr ? ready[shuffle_->next() % ready.size()]
                                       : *std::min_element(ready.begin(), ready.end(), [](auto* a, auto* b) {
                                           return a->ready_.front().first < b->ready_.front().first;
                                         });
    auto job = std::move(chosen->ready_.front().second);
    chosen->ready_.pop_front();
    ++steps_;
    job();
    return true;
  }
  if (timed_.empty() || timed_.begin()->first > until) return false;
  clock_.set(std::max(clock_.now(), timed_.begin()->first));
  auto [loop, job] = std::move(timed_.begin()->second);
  timed_.erase(timed_.begin());
  loop->post(std::move(job));
  return true;
}

void VirtualWorld::drop_everything() {
  // Jobs own what they captured, whose end may post again.
  for (auto* loop : loops_) {
    const auto dropped = std::exchange(loop->ready_, {});
  }
  const auto dropped = std::exchange(timed_, {});
}

}  // namespace fp::tests

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
  drop();
}

void VirtualLoop::drop() {
  // Jobs own what they captured, whose end may post again.
  const auto dropped = std::exchange(ready_, {});
  const auto is_mine = [this](const auto& entry) { return entry.second.first == this; };
  std::erase_if(world_.timed_, is_mine);
  std::erase_if(world_.delayed_, is_mine);
}

bool VirtualWorld::is_quiet() const {
  return std::all_of(loops_.begin(), loops_.end(),
                     [](const VirtualLoop* loop) { return loop->ready_.empty(); });
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
  return pass_time(until);
}

/// To the next timer, of the wall clock's or of the steady one's.
bool VirtualWorld::pass_time(TimePoint until) {
  constexpr auto kNever = Milliseconds::max();
  const auto wall = timed_.empty() ? kNever : std::max(timed_.begin()->first - clock_.now(), Milliseconds(0));
  const auto steady =
      delayed_.empty()
          ? kNever
          : std::chrono::duration_cast<Milliseconds>(delayed_.begin()->first - clock_.steady_now());
  const auto wait = std::min(wall, steady);
  if (wait == kNever || wait > until - clock_.now()) return false;
  clock_.advance(wait);
  const auto release = [](auto& queue) {
    auto [loop, job] = std::move(queue.begin()->second);
    queue.erase(queue.begin());
    loop->post(std::move(job));
  };
  if (wall <= steady)
    release(timed_);
  else
    release(delayed_);
  return true;
}

void VirtualWorld::drop_everything() {
  // Jobs own what they captured, whose end may post again.
  for (auto* loop : loops_) {
    const auto dropped = std::exchange(loop->ready_, {});
  }
  const auto dropped = std::exchange(timed_, {});
  const auto also_dropped = std::exchange(delayed_, {});
}

}  // namespace fp::tests

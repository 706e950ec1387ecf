#include "runtime/thread_loop.hpp"

#include <pthread.h>

namespace fp::runtime {

ThreadLoop::ThreadLoop(std::string name, const Clock& clock) : clock_(clock) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

ThreadLoop::~ThreadLoop() {
  stop();
}

void ThreadLoop::post(Job job) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    first = posted_.empty();
    posted_.push_back(std::move(job));
  }
  if (first) wake_.notify_one();
}

void ThreadLoop::post_at(TimePoint when, Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    timed_.emplace(when, std::move(job));
  }
  wake_.notify_one();
}

void ThreadLoop::post_after(Milliseconds delay, Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    delayed_.emplace(clock_.steady_now() + delay, std::move(job));
  }
  wake_.notify_one();
}

void ThreadLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ && !thread_.joinable()) return;
    stopping_ = true;
    timed_.clear();
    delayed_.clear();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void ThreadLoop::take_due() {
  const auto take = [this](auto& queue, auto now) {
    while (!queue.empty() && queue.begin()->first <= now) {
      posted_.push_back(std::move(queue.begin()->second));
      queue.erase(queue.begin());
    }
  };
  take(timed_, clock_.now());
  take(delayed_, clock_.steady_now());
}

std::optional<Milliseconds> ThreadLoop::next_wait() const {
  std::optional<Milliseconds> wait;
  // The wall clock may jump, so a long wait looks at it again every second.
  if (!timed_.empty()) wait = std::min(timed_.begin()->first - clock_.now(), Milliseconds(1000));
  if (delayed_.empty()) return wait;
  const auto left = std::chrono::ceil<Milliseconds>(delayed_.begin()->first - clock_.steady_now());
  return wait ? std::min(*wait, left) : left;
}

void ThreadLoop::run() {
  std::vector<Job> batch;
  std::unique_lock lock(mutex_);
  while (true) {
    take_due();
    if (posted_.empty()) {
      if (stopping_) return;
      if (const auto wait = next_wait())
        wake_.wait_for(lock, std::max(*wait, Milliseconds(1)));
      else
        wake_.wait(lock);
      continue;
    }
    batch.swap(posted_);
    lock.unlock();
    for (auto& job : batch) job();
    batch.clear();
    lock.lock();
  }
}

}  // namespace fp::runtime

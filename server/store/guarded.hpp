#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

namespace fp::store {

/// A mutex that is handed over in the order of arrival, so that a loop that takes it again at once (a prune)
/// can not keep the others (a commit) waiting. For sections that last longer than a context switch.
class FairMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    const auto ticket = next_++;
    turn_.wait(lock, [&] { return ticket == serving_; });
  }
  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      ++serving_;
    }
    turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  std::uint64_t next_ = 0;
  std::uint64_t serving_ = 0;
};

/// A value that can only be reached while its mutex is held: the compiler refuses every other way in.
template <class T, class Mutex = std::mutex>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  template <class F>
  decltype(auto) with(F&& use) {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(use)(value_);
  }
  template <class F>
  decltype(auto) with(F&& use) const {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(use)(value_);
  }

 private:
  mutable Mutex mutex_;
  T value_;
};

}  // namespace fp::store

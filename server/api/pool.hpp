#pragma once

#include "base/unique_function.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace fp::api {

/// Threads for handlers that block on the store. Bounded: a job that finds the queue full is refused.
/// Thread-safe.
class Pool {
 public:
  using Job = UniqueFunction<void()>;
  Pool(std::size_t threads, std::size_t most_waiting);
  ~Pool();
  /// False when the queue is full or the pool has stopped; `job` is then untouched.
  bool post(Job& job);
  std::size_t waiting() const;
  /// Runs what is queued, then ends the threads. Idempotent.
  void stop();

 private:
  void run();

  const std::size_t most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Job> jobs_;   // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace fp::api

#pragma once

#include "sandbox/lane.hpp"
#include "sandbox/sandbox_options.hpp"

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace fp::sandbox {

/// The evaluator's one thread, which owns the lanes, and the bounded queue into it. Submitting is possible
/// from any thread; every task's `finish` is called exactly once, whatever happens.
class IoLoop {
 public:
  enum class Bound { kQueue, kNone };

  explicit IoLoop(SandboxOptions options);
  ~IoLoop();
  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;

  void start();
  /// Idempotent; waits for the thread. Tasks that wait are finished with `error`, later ones at once.
  void stop(const Error& error);
  /// Finished inline when the queue is full (expr.overloaded) or the loop stopped.
  void submit(Task task, Bound bound);
  SandboxStatus status() const;

 private:
  enum class State { kIdle, kRunning, kStopped };

  void start_locked();
  void run();
  void take_tasks();
  void wait(SteadyPoint until);
  void publish_status();
  void wake();

  const SandboxOptions options_;
  int wake_fd_;

  mutable std::mutex mutex_;  // guards what follows, up to the blank line
  State state_ = State::kIdle;
  std::deque<Task> waiting_;
  bool is_woken_ = false;
  SandboxStatus status_;
  Error stop_error_;

  std::atomic<std::size_t> unanswered_{0};
  std::vector<Lane> lanes_;  // the thread's own
  std::deque<Task> taken_;
  std::thread thread_;
};

}  // namespace fp::sandbox

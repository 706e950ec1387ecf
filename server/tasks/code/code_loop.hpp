#pragma once

#include "tasks/code/code_runner.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace fp::tasks {

struct CodeLoopOptions {
  std::size_t running = 4;     // runs at the same time
  std::size_t spare = 2;       // processes kept warm beyond those that run, once the first run came
  std::size_t waiting = 1024;  // runs that wait for a process; more are refused with code.overloaded
  const char* thread_name = "code";
};

/// The one thread that owns the processes of one kind of code step, and the bounded queue into it. submit()
/// and cancel() may be called from any thread and return at once; every run's `done` is called exactly once.
/// The thread starts with the first run; the destructor ends what runs and waits.
class CodeLoop {
 public:
  CodeLoop(std::unique_ptr<CodeRunnerFactory> factory, CodeLoopOptions options);
  ~CodeLoop();
  CodeLoop(const CodeLoop&) = delete;
  CodeLoop& operator=(const CodeLoop&) = delete;

  std::uint64_t make_id() { return next_id_.fetch_add(1, std::memory_order_relaxed); }
  void submit(CodeRun run);
  void cancel(std::uint64_t id);

 private:
  void run();
  void take_orders();
  void cancel_now(std::uint64_t id);
  void drop_gone(SteadyPoint now);
  void assign(SteadyPoint now);
  void start_runners(SteadyPoint now);
  void wait();
  void stop_all();
  void wake();
  std::size_t count(CodeRunner::State state) const;

  const std::unique_ptr<CodeRunnerFactory> factory_;
  const CodeLoopOptions options_;
  const int wake_fd_;
  std::atomic<std::uint64_t> next_id_{1};
  std::atomic<std::size_t> unanswered_{0};

  std::mutex mutex_;  // guards what follows, up to the blank line
  std::deque<CodeRun> arrived_;
  std::vector<std::uint64_t> cancelled_;
  bool is_woken_ = false;
  bool is_stopping_ = false;
  std::thread thread_;

  struct Slot {
    std::uint32_t number = 0;
    std::unique_ptr<CodeRunner> runner;
  };
  std::deque<CodeRun> waiting_;  // the thread's own, like what follows
  std::vector<Slot> slots_;
  SteadyPoint no_start_before_{};
  unsigned failed_starts_ = 0;
};

}  // namespace fp::tasks

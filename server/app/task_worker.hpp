#pragma once

#include "app/settings.hpp"
#include "app/worker_process.hpp"
#include "workers/worker_hub.hpp"

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fp::app {

struct TaskWorkerOptions {
  std::filesystem::path folder;  // of the functions
  std::string python;
  std::filesystem::path sdk;    // the zip Python runs
  std::filesystem::path spool;  // where results wait that could not be sent
  std::string url;              // of this server
  std::string token;
  std::size_t slots = 8;
  std::size_t memory_mb = 0;  // of its address space; 0: no limit
  std::vector<std::string> environment;
  launcher::Policy policy;
};

/// From the settings; makes the files the worker needs in the data directory. Errors: usage.tasks when the
/// folder is none, isolation.unavailable naming the layers that this machine does not give.
Result<TaskWorkerOptions> make_task_worker_options(const Settings& settings, std::string url,
                                                   std::string token);

/// Keeps one Python worker running for the functions in a folder: starts it again when it ends (with backoff
/// when it ends soon), and starts another one when a file changes, while the old one finishes what it has.
/// Its words go to this process's log. Lives on a thread of its own.
class TaskWorker {
 public:
  TaskWorker(TaskWorkerOptions options, workers::WorkerHub& hub, const Clock& clock);
  ~TaskWorker();

  /// Until its functions are registered, at most so long; what it said when it ended before. Error
  /// worker.spawn_failed.
  Result<void> wait_until_registered(Milliseconds most);
  /// Lets it finish what it has, at most so long. Idempotent.
  void stop(Milliseconds grace);
  /// The level and the layers that hold around it, for people; null before it runs.
  Json isolation() const;

 private:
  struct Child {
    WorkerProcess process;
    std::string partial;  // of a line
    SteadyPoint since{};
    bool replaced = false;
  };

  void run();
  void start_child();
  void on_end(std::size_t at);
  void read_words(Child& child);
  void say(Child& child, const std::string& line);
  void wait_for_anything(Milliseconds most);
  void replace_current();
  void end_children();
  std::uint64_t look_at_files() const;

  TaskWorkerOptions options_;
  workers::WorkerHub& hub_;
  const Clock& clock_;
  int wake_fd_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;                // guarded by mutex_
  bool registered_ = false;              // guarded by mutex_
  Milliseconds grace_{0};                // guarded by mutex_
  std::vector<std::string> last_words_;  // guarded by mutex_; of a worker that ended before it registered
  bool failed_ = false;                  // guarded by mutex_
  Json isolation_;                       // guarded by mutex_
  // The thread's own.
  std::vector<Child> children_;  // the newest last; the others finish what they have
  Milliseconds backoff_{0};
  SteadyPoint next_start_{};
  std::uint64_t files_ = 0;
  std::thread thread_;
};

}  // namespace fp::app

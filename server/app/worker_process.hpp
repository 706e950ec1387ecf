#pragma once

#include "base/result.hpp"

#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace fp::app {

/// A child process in a group of its own, with a pipe to its standard input and one from its standard error.
/// Owned by one thread. The destructor kills the group and reaps it.
class WorkerProcess {
 public:
  /// Error worker.spawn_failed.
  static Result<WorkerProcess> spawn(const std::vector<std::string>& command,
                                     const std::vector<std::string>& environment,
                                     const std::string& directory);
  WorkerProcess(WorkerProcess&& other) noexcept { swap(other); }
  WorkerProcess& operator=(WorkerProcess&& other) noexcept {
    swap(other);
    return *this;
  }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();

  pid_t pid() const { return pid_; }
  int pid_fd() const { return pid_fd_; }      // readable once it has ended
  int error_fd() const { return error_fd_; }  // non-blocking
  /// All of it, or false.
  bool write(const std::string& text);
  void close_input();
  void terminate();
  /// How it ended, as waitpid gives it: kills what is left of its group.
  int finish();

 private:
  WorkerProcess() = default;
  void swap(WorkerProcess& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pid_fd_, other.pid_fd_);
    std::swap(input_fd_, other.input_fd_);
    std::swap(error_fd_, other.error_fd_);
  }
  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int input_fd_ = -1;
  int error_fd_ = -1;
};

}  // namespace fp::app

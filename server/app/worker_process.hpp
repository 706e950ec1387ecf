#pragma once

#include "base/result.hpp"
#include "launcher/launcher.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace fp::app {

/// A jailed child process with a pipe to its standard input and one from its standard output and error. Owned
/// by one thread. The destructor kills all of its tree.
class WorkerProcess {
 public:
  /// Waits until it runs, a few milliseconds. Errors: worker.spawn_failed, isolation.unavailable.
  static Result<WorkerProcess> spawn(const launcher::Policy& policy, launcher::Program program);
  WorkerProcess(WorkerProcess&& other) noexcept { swap(other); }
  WorkerProcess& operator=(WorkerProcess&& other) noexcept {
    swap(other);
    return *this;
  }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();

  /// The program's own, as this process numbers it.
  pid_t pid() const { return pid_; }
  const launcher::Layers& layers() const { return child_->layers(); }
  int pid_fd() const { return child_->pid_fd(); }  // readable once it has ended
  int error_fd() const { return error_fd_; }       // non-blocking
  /// All of it, or false.
  bool write(const std::string& text);
  void close_input();
  void terminate();
  /// How it ended, in words; kills what is left of its tree.
  std::string finish();

 private:
  WorkerProcess() = default;
  void swap(WorkerProcess& other) noexcept {
    std::swap(child_, other.child_);
    std::swap(pid_, other.pid_);
    std::swap(input_fd_, other.input_fd_);
    std::swap(error_fd_, other.error_fd_);
  }
  std::optional<launcher::Child> child_;
  pid_t pid_ = -1;
  int input_fd_ = -1;
  int error_fd_ = -1;
};

}  // namespace fp::app

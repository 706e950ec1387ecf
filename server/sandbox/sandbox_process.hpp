#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace fp::sandbox {

/// One child process and our end of the socket pair to it. Owned by one thread. The destructor kills and
/// reaps it.
class SandboxProcess {
 public:
  enum class Work { expressions, code };

  /// Spawns without copying this process, however big it is. Error: expr.crashed, with what is missing.
  static Result<SandboxProcess> spawn(const std::string& program, Work work = Work::expressions);

  SandboxProcess(SandboxProcess&& other) noexcept;
  SandboxProcess& operator=(SandboxProcess&& other) noexcept;
  SandboxProcess(const SandboxProcess&) = delete;
  SandboxProcess& operator=(const SandboxProcess&) = delete;
  ~SandboxProcess();

  /// Ours, non-blocking; frames of wire.hpp.
  int fd() const { return fd_; }
  pid_t pid() const { return pid_; }
  /// After it hung up: waits a moment for its end, then kills it. The status as waitpid gives it.
  int finish();

 private:
  SandboxProcess(pid_t pid, int pid_fd, int fd) : pid_(pid), pid_fd_(pid_fd), fd_(fd) {}
  int kill_and_reap();

  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int fd_ = -1;
};

/// FLOWPILOT_SANDBOX, or `flowpilot-sandbox` in the directory of the running program.
std::string default_sandbox_program();
/// "was killed by signal 11", "ran out of memory": how it ended, for a sentence.
std::string describe_end(int wait_status);
bool ended_out_of_memory(int wait_status);

}  // namespace fp::sandbox

#include "sandbox/sandbox_process.hpp"

#include "base/error_code.hpp"
#include "sandbox/child/exit_code.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace fp::sandbox {

namespace {

constexpr int kChildChannel = 3;
constexpr int kEndMilliseconds = 100;

Error not_started(const std::string& what, int number) {
  return Error(codes::expr_crashed,
               fmt::format("the expression process can not start: {}: {}", what, std::strerror(number)));
}

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  explicit SpawnSettings(int child_end) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, child_end, kChildChannel);
    posix_spawn_file_actions_addclosefrom_np(&actions, kChildChannel + 1);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

}  // namespace

Result<SandboxProcess> SandboxProcess::spawn(const std::string& program, Work work) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return not_started("no socket pair", errno);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  const SpawnSettings settings(ends[1]);
  char* const arguments[] = {const_cast<char*>("flowpilot-sandbox"),
                             const_cast<char*>(work == Work::code ? "code" : "expressions"), nullptr};
  char* const environment[] = {nullptr};
  pid_t pid = -1;
  const int failure =
      posix_spawn(&pid, program.c_str(), &settings.actions, &settings.attributes, arguments, environment);
  close(ends[1]);
  if (failure != 0) {
    close(ends[0]);
    return not_started(program, failure);
  }
  return SandboxProcess(pid, static_cast<int>(syscall(SYS_pidfd_open, pid, 0)), ends[0]);
}

SandboxProcess::SandboxProcess(SandboxProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pid_fd_(std::exchange(other.pid_fd_, -1)),
      fd_(std::exchange(other.fd_, -1)) {}

SandboxProcess& SandboxProcess::operator=(SandboxProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pid_fd_, other.pid_fd_);
  std::swap(fd_, other.fd_);
  return *this;
}

SandboxProcess::~SandboxProcess() {
  kill_and_reap();
}

int SandboxProcess::finish() {
  if (pid_fd_ >= 0) {
    pollfd wait{pid_fd_, POLLIN, 0};
    poll(&wait, 1, kEndMilliseconds);
  }
  return kill_and_reap();
}

int SandboxProcess::kill_and_reap() {
  int status = 0;
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (fd_ >= 0) close(fd_);
  if (pid_fd_ >= 0) close(pid_fd_);
  pid_ = pid_fd_ = fd_ = -1;
  return status;
}

std::string default_sandbox_program() {
  if (const char* chosen = std::getenv("FLOWPILOT_SANDBOX"); chosen && *chosen) return chosen;
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  const std::string self(path, length > 0 ? static_cast<std::size_t>(length) : 0);
  return self.substr(0, self.rfind('/') + 1) + "flowpilot-sandbox";
}

std::string describe_end(int wait_status) {
  if (WIFSIGNALED(wait_status)) return fmt::format("was ended by signal {}", WTERMSIG(wait_status));
  switch (WEXITSTATUS(wait_status)) {
    case kExitNoEngine:
      return "could not start the JavaScript engine";
    case kExitNotConfined:
      return "could not give up its rights (seccomp and resource limits are needed)";
    case kExitMemory:
      return "ran out of memory";
    case 127:
      return "could not be loaded (is libmozjs-102 installed?)";
    default:
      return fmt::format("ended with code {}", WEXITSTATUS(wait_status));
  }
}

bool ended_out_of_memory(int wait_status) {
  return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == kExitMemory;
}

}  // namespace fp::sandbox

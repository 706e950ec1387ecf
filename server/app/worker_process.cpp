#include "app/worker_process.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fp::app {

namespace {

Error not_spawned(const std::string& what, int number) {
  return Error(codes::worker_spawn_failed, fmt::format("{} can not start: {}", what, std::strerror(number)));
}

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  SpawnSettings(int input, int error, const std::string& directory) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, error, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
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

std::vector<char*> to_pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const auto& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

void close_all(std::initializer_list<int> fds) {
  for (const int fd : fds) {
    if (fd >= 0) close(fd);
  }
}

}  // namespace

Result<WorkerProcess> WorkerProcess::spawn(const std::vector<std::string>& command,
                                           const std::vector<std::string>& environment,
                                           const std::string& directory) {
  int input[2] = {-1, -1};
  int error[2] = {-1, -1};
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) {
    const auto reason = errno;
    close_all({input[0], input[1], error[0], error[1]});
    return not_spawned(command.front(), reason);
  }
  const SpawnSettings settings(input[0], error[1], directory);
  const auto arguments = to_pointers(command);
  const auto variables = to_pointers(environment);
  WorkerProcess out;
  const int failure = posix_spawnp(&out.pid_, command.front().c_str(), &settings.actions,
                                   &settings.attributes, arguments.data(), variables.data());
  close_all({input[0], error[1]});
  if (failure != 0) {
    out.pid_ = -1;
    close_all({input[1], error[0]});
    return not_spawned(command.front(), failure);
  }
  out.input_fd_ = input[1];
  out.error_fd_ = error[0];
  fcntl(out.error_fd_, F_SETFL, O_NONBLOCK);
  out.pid_fd_ = static_cast<int>(syscall(SYS_pidfd_open, out.pid_, 0));
  return out;
}

bool WorkerProcess::write(const std::string& text) {
  return ::write(input_fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

void WorkerProcess::close_input() {
  if (input_fd_ >= 0) close(std::exchange(input_fd_, -1));
}

void WorkerProcess::terminate() {
  if (pid_ > 0) kill(pid_, SIGTERM);
}

int WorkerProcess::finish() {
  int status = 0;
  if (pid_ > 0) {
    kill(-pid_, SIGKILL);
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }
  return status;
}

WorkerProcess::~WorkerProcess() {
  finish();
  close_all({pid_fd_, input_fd_, error_fd_});
}

}  // namespace fp::app

#include "app/worker_process.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace fp::app {

namespace {

void close_all(std::initializer_list<int> fds) {
  for (const int fd : fds) {
    if (fd >= 0) close(fd);
  }
}

/// The only child of the launcher's first process inside; that one itself where the kernel does not tell.
pid_t find_program(pid_t inside) {
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", inside));
  pid_t out = 0;
  return children >> out ? out : inside;
}

}  // namespace

Result<WorkerProcess> WorkerProcess::spawn(const launcher::Policy& policy, launcher::Program program) {
  int input[2] = {-1, -1};
  int error[2] = {-1, -1};
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) {
    const auto reason = errno;
    close_all({input[0], input[1], error[0], error[1]});
    return Error(codes::worker_spawn_failed,
                 fmt::format("no pipe for the worker: {}", std::strerror(reason)));
  }
  WorkerProcess out;
  out.input_fd_ = input[1];
  out.error_fd_ = error[0];
  launcher::Command command;
  command.program = std::move(program);
  command.in = input[0];
  command.out = command.err = error[1];
  auto child = launcher::Launcher().launch(policy, command);
  close_all({input[0], error[1]});
  if (!child) return child.error();
  out.child_ = std::move(*child);
  out.pid_ = find_program(out.child_->pid());
  fcntl(out.error_fd_, F_SETFL, O_NONBLOCK);
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

std::string WorkerProcess::finish() {
  if (!child_) return "ended";
  pid_ = -1;
  if (const auto outcome = child_->poll_outcome()) return launcher::describe(*outcome);
  child_->kill();
  return launcher::describe(child_->wait());
}

WorkerProcess::~WorkerProcess() {
  close_all({input_fd_, error_fd_});
}

}  // namespace fp::app

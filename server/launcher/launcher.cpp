#include "launcher/launcher.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
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

namespace fp::launcher {

namespace {

constexpr int kFirstKept = 3;
constexpr int kClearOfTargets = 128;
constexpr int kStartMilliseconds = 10'000;
constexpr int kEndMilliseconds = 1'000;

Error spawn_failed(const std::string& what, int number) {
  return Error(codes::worker_spawn_failed,
               fmt::format("the process can not start: {}{}{}", what, number == 0 ? "" : ": ",
                           number == 0 ? "" : std::strerror(number)));
}

/// The descriptors of one spawn, copied out of the range they are to land in, and closed again.
class Descriptors {
 public:
  Descriptors() { posix_spawn_file_actions_init(&actions_); }
  ~Descriptors() {
    posix_spawn_file_actions_destroy(&actions_);
    for (const int fd : copies_) close(fd);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  bool give(int fd, int target) {
    if (fd < 0) return posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", O_RDWR, 0) == 0;
    copies_.push_back(fcntl(fd, F_DUPFD_CLOEXEC, kClearOfTargets));
    return copies_.back() >= 0 && posix_spawn_file_actions_adddup2(&actions_, copies_.back(), target) == 0;
  }
  const posix_spawn_file_actions_t* seal(int last) {
    posix_spawn_file_actions_addclosefrom_np(&actions_, last + 1);
    return &actions_;
  }

 private:
  posix_spawn_file_actions_t actions_;
  std::vector<int> copies_;
};

int spawn(const std::string& program, const posix_spawn_file_actions_t* actions, std::size_t kept,
          pid_t& pid) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  auto count = std::to_string(kept);
  char* const arguments[] = {const_cast<char*>("flowpilot-launcher"), count.data(), nullptr};
  char* const environment[] = {nullptr};
  const int failure = posix_spawn(&pid, program.c_str(), actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  return failure;
}

bool holds_nul(const Policy& policy, const Program& program) {
  const auto any = [](const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
      if (text.find('\0') != std::string::npos) return true;
    }
    return false;
  };
  return any(policy.readable) || any(policy.writable) || any(program.argv) || any(program.env) ||
         any({program.cwd});
}

}  // namespace

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pid_fd_(std::exchange(other.pid_fd_, -1)),
      control_(std::exchange(other.control_, -1)),
      inside_pid_(other.inside_pid_),
      layers_(std::move(other.layers_)),
      started_(std::move(other.started_)),
      outcome_(other.outcome_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pid_fd_, other.pid_fd_);
  std::swap(control_, other.control_);
  std::swap(inside_pid_, other.inside_pid_);
  std::swap(layers_, other.layers_);
  std::swap(started_, other.started_);
  std::swap(outcome_, other.outcome_);
  return *this;
}

Child::~Child() {
  if (pid_ <= 0) return;
  kill();
  pollfd end{pid_fd_, POLLIN, 0};
  // The supervisor never hangs, but the kernel may: its death takes the tree down as well.
  if (poll(&end, 1, kEndMilliseconds) == 0) ::kill(pid_, SIGKILL);
  reap();
}

void Child::reap() {
  if (pid_ > 0) {
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (pid_fd_ >= 0) close(pid_fd_);
  if (control_ >= 0) close(control_);
  pid_ = pid_fd_ = control_ = -1;
}

void Child::accept(const Message& message) {
  if (!message.get("started").empty()) {
    inside_pid_ = static_cast<pid_t>(message.number("inside"));
    layers_ = to_layers(message);
    started_ = Result<void>();
  } else if (!message.get("missing").empty()) {
    layers_ = to_layers(message);
    started_ = Error(codes::isolation_unavailable,
                     fmt::format("this machine does not give the isolation that is asked for; missing: {}",
                                 message.get("missing")));
  } else if (!message.get("failed").empty()) {
    started_ = spawn_failed(std::string(message.get("failed")), static_cast<int>(message.number("errno")));
  } else if (!message.get("end").empty()) {
    outcome_ = to_outcome(message);
  }
}

void Child::take_reports(int timeout_ms) {
  pollfd report{control_, POLLIN, 0};
  if (outcome_ || control_ < 0 || poll(&report, 1, timeout_ms) <= 0) return;
  char bytes[2048];
  const ssize_t got = recv(control_, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got > 0) return accept(Message(std::string(bytes, static_cast<std::size_t>(got))));
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  // The supervisor ended without a word: somebody killed it, and the tree with it.
  if (!started_) started_ = spawn_failed("the launcher ended", 0);
  outcome_ = Outcome{.end = End::signalled, .signal = SIGKILL};
}

std::optional<Result<void>> Child::poll_started() {
  if (!started_) take_reports(0);
  return started_;
}

Result<void> Child::wait_started() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kStartMilliseconds);
  while (!started_) {
    if (std::chrono::steady_clock::now() > until) {
      kill();
      return spawn_failed("the launcher does not answer", 0);
    }
    take_reports(kStartMilliseconds);
  }
  return *started_;
}

void Child::limit(std::uint64_t memory_bytes, std::chrono::milliseconds wall) {
  Message message;
  message.put("order", "limit");
  message.put("memory_bytes", memory_bytes);
  message.put("wall_ms", static_cast<std::uint64_t>(wall.count()));
  ::send(control_, message.bytes().data(), message.bytes().size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Child::kill() {
  Message message;
  message.put("order", "kill");
  if (control_ >= 0)
    ::send(control_, message.bytes().data(), message.bytes().size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

std::optional<Outcome> Child::poll_outcome() {
  take_reports(0);
  if (!started_ || !outcome_) take_reports(0);
  return outcome_;
}

Outcome Child::wait() {
  while (!outcome_) take_reports(-1);
  return *outcome_;
}

Result<Child> Launcher::start(const Policy& policy, const Command& command) const {
  if (command.program.argv.empty() || holds_nul(policy, command.program))
    return spawn_failed("the command is empty or holds a NUL character", 0);
  const Message order = to_message(policy, command.program);
  if (order.bytes().size() > kMostMessageBytes)
    return spawn_failed("arguments and environment are larger than 160 KiB", 0);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return spawn_failed("socket pair", errno);
  // Written before there is a reader: it fits the buffer, and nobody has to wait.
  const int wanted = static_cast<int>(2 * kMostMessageBytes);
  setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
  const bool is_sent = ::send(ends[0], order.bytes().data(), order.bytes().size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(order.bytes().size());
  Descriptors descriptors;
  bool is_ready = is_sent && descriptors.give(command.in, 0) && descriptors.give(command.out, 1) &&
                  descriptors.give(command.err, 2);
  int target = kFirstKept;
  for (const int fd : command.keep) is_ready = is_ready && descriptors.give(fd, target++);
  is_ready = is_ready && descriptors.give(ends[1], target);
  pid_t pid = -1;
  const int failure = is_ready ? spawn(program_, descriptors.seal(target), command.keep.size(), pid)
                               : (errno != 0 ? errno : EIO);
  close(ends[1]);
  if (failure != 0) {
    close(ends[0]);
    return spawn_failed(program_, failure);
  }
  return Child(pid, static_cast<int>(syscall(SYS_pidfd_open, pid, 0)), ends[0]);
}

Result<Child> Launcher::launch(const Policy& policy, const Command& command) const {
  auto child = start(policy, command);
  if (!child) return child.error();
  if (const auto started = child->wait_started(); !started) return started.error();
  return child;
}

Result<Layers> Launcher::probe(Policy policy) const {
  policy.allow_weaker = true;
  Command nothing;
  nothing.program.argv = {"/usr/bin/true"};
  auto child = launch(policy, nothing);
  if (!child) return child.error();
  return child->layers();
}

std::string Launcher::default_program() {
  if (const char* chosen = std::getenv("FLOWPILOT_LAUNCHER"); chosen && *chosen) return chosen;
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  const std::string self(path, length > 0 ? static_cast<std::size_t>(length) : 0);
  return self.substr(0, self.rfind('/') + 1) + "flowpilot-launcher";
}

std::string describe(const Outcome& outcome) {
  switch (outcome.end) {
    case End::exited:
      return fmt::format("ended with code {}", outcome.exit_code);
    case End::signalled:
      return fmt::format("was ended by signal {} ({})", outcome.signal, strsignal(outcome.signal));
    case End::killed:
      return "was stopped";
    case End::timed_out:
      return "was stopped at its time limit";
    case End::out_of_memory:
      return "was killed at its memory limit";
  }
  return "ended";
}

}  // namespace fp::launcher

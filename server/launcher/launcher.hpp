#pragma once

#include "base/result.hpp"
#include "launcher/policy.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace fp::launcher {

/// What to run and which of our descriptors it gets; -1 is /dev/null. `keep` become 3, 4, ... in the program.
/// All stay ours to close.
struct Command {
  Program program;
  int in = -1;
  int out = -1;
  int err = -1;
  std::vector<int> keep;
};

/// One launched tree of processes, seen through its supervisor, a small process of ours outside of it. Owned
/// by one thread. The tree is dead, and its control group gone, when pid_fd() is readable. The destructor
/// kills it (at most a second) and reaps. If the server dies, the tree is killed.
class Child {
 public:
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  /// Becomes readable once all is over; to be polled beside other descriptors.
  int pid_fd() const { return pid_fd_; }
  /// Becomes readable when there is something for poll_started() or poll_outcome().
  int report_fd() const { return control_; }

  /// Waits until the program runs, a few milliseconds. Errors: isolation.unavailable names the layers that
  /// are asked for and missing; worker.spawn_failed says which step failed.
  Result<void> wait_started();
  /// The same without waiting: nullopt when it is not decided yet.
  std::optional<Result<void>> poll_started();
  /// What holds around it; known once started.
  const Layers& layers() const { return layers_; }
  /// The tree's first process, as this process numbers it; 0 before it started.
  pid_t pid() const { return inside_pid_; }

  /// A new memory limit (0: as it was; without a control group nothing happens) and a new time limit, counted
  /// from now (0: none): what a process that waited for its work is given with it.
  void limit(std::uint64_t memory_bytes, std::chrono::milliseconds wall);
  /// SIGKILL for the whole tree. Returns at once; the outcome follows.
  void kill();
  /// How it ended; nullopt while it runs.
  std::optional<Outcome> poll_outcome();
  /// Waits for the end.
  Outcome wait();

 private:
  friend class Launcher;
  Child(pid_t pid, int pid_fd, int control) : pid_(pid), pid_fd_(pid_fd), control_(control) {}
  void take_reports(int timeout_ms);
  void accept(const Message& message);
  void reap();

  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int control_ = -1;
  pid_t inside_pid_ = 0;
  Layers layers_;
  std::optional<Result<void>> started_;
  std::optional<Outcome> outcome_;
};

/// Starts programs with no more rights than a Policy gives, by way of `flowpilot-launcher` (posix_spawn: this
/// process is not copied, however big it is). Immutable; callable from any thread. Nothing secret goes into
/// the command line or environment of the supervisor.
class Launcher {
 public:
  explicit Launcher(std::string program = default_program()) : program_(std::move(program)) {}

  /// Begins; the caller asks the child whether it started.
  Result<Child> start(const Policy& policy, const Command& command) const;
  /// start() and Child::wait_started().
  Result<Child> launch(const Policy& policy, const Command& command) const;
  /// The layers that hold on this machine under `policy`, learnt by launching a program that does nothing.
  Result<Layers> probe(Policy policy) const;

  /// FLOWPILOT_LAUNCHER, or `flowpilot-launcher` in the directory of the running program.
  static std::string default_program();

 private:
  std::string program_;
};

/// "was killed at its memory limit", "ended with code 3": for a sentence.
std::string describe(const Outcome& outcome);

}  // namespace fp::launcher

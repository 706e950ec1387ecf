#pragma once

#include "launcher/launcher.hpp"
#include "tasks/code/code_runner.hpp"
#include "tasks/code/log_lines.hpp"

#include <optional>
#include <string>

namespace fp::tasks {

struct PythonOptions {
  std::string interpreter =
      "/usr/bin/python3";  // or a venv's bin/python, whose packages steps may then import
  std::string launcher;    // empty: Launcher::default_program()
  launcher::Level level = launcher::Level::strict;
  bool allow_weaker = false;
};

/// A descriptor that closes itself.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd();
  int get() const { return fd_; }
  void reset() { *this = OwnedFd(); }

 private:
  int fd_;
};

/// A Python interpreter in a jail of its own, started ahead, for one run only: nothing of a run can reach the
/// next. The result comes over a descriptor of its own; stdout and stderr are the attempt's log.
class PythonRunner final : public CodeRunner {
 public:
  struct Ends {
    OwnedFd channel, out, err;  // ours, non-blocking
  };
  PythonRunner(launcher::Child child, Ends ends, const Clock& clock, SteadyPoint now);

  void begin(CodeRun run, SteadyPoint now) override;
  void watch(std::vector<pollfd>& fds) const override;
  void advance(SteadyPoint now) override;
  SteadyPoint next_call() const override;
  void cancel(std::uint64_t id) override;
  void abandon(const Error& error) override;

 private:
  void advance_start(SteadyPoint now);
  void send();
  /// False when nothing more will come.
  bool receive();
  bool take_frames();
  bool accept(char kind, std::string_view body);
  void drain_outputs();
  /// Ends the processes; the answer follows when it is known how they ended.
  void stop(std::optional<Error> reason);
  void conclude();
  ports::TaskHandler::Output explain_end(const launcher::Outcome& outcome) const;
  void answer(ports::TaskHandler::Output output);
  void fail_start(Error error);

  launcher::Child child_;
  Ends ends_;
  const Clock& clock_;
  LogLines out_lines_;
  LogLines err_lines_;
  std::string outgoing_;
  std::size_t sent_ = 0;
  std::string incoming_;
  bool is_channel_open_ = true;
  bool is_garbled_ = false;
  std::optional<CodeRun> run_;
  std::optional<Error> failure_;  // what the step said of itself, or why it was stopped
  SteadyPoint deadline_;
};

class PythonRunnerFactory final : public CodeRunnerFactory {
 public:
  PythonRunnerFactory(PythonOptions options, const Clock& clock);
  Result<std::unique_ptr<CodeRunner>> start(std::uint32_t slot) override;

 private:
  const PythonOptions options_;
  const Clock& clock_;
  const launcher::Launcher launcher_;
  std::vector<std::string>
      readable_;  // where the interpreter and its packages are, outside the system's folders
};

}  // namespace fp::tasks

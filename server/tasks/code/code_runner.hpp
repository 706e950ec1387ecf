#pragma once

#include "base/time.hpp"
#include "tasks/code/code_run.hpp"

#include <memory>
#include <poll.h>
#include <vector>

namespace fp::tasks {

/// One process for code, seen from the server. Lives on CodeLoop's thread; nothing here blocks.
class CodeRunner {
 public:
  enum class State {
    starting,
    idle,  // waits for a run
    busy,
    ending,  // answers no more; its processes are on their way out
    gone
  };

  virtual ~CodeRunner() = default;
  State state() const { return state_; }
  /// Only when idle.
  virtual void begin(CodeRun run, SteadyPoint now) = 0;
  virtual void watch(std::vector<pollfd>& fds) const = 0;
  /// Reads what came, ends what is overdue.
  virtual void advance(SteadyPoint now) = 0;
  /// When advance() is due even if nothing comes.
  virtual SteadyPoint next_call() const = 0;
  /// Ends the run of this id, if it is here; its `done` follows.
  virtual void cancel(std::uint64_t id) = 0;
  /// Ends at once, answering what it has with `error`.
  virtual void abandon(const Error& error) = 0;
  /// Why it never became idle, when that is so.
  const std::optional<Error>& start_error() const { return start_error_; }

 protected:
  State state_ = State::starting;
  std::optional<Error> start_error_;
};

/// Makes processes of one kind. `slot` differs between those that live at the same time.
class CodeRunnerFactory {
 public:
  virtual ~CodeRunnerFactory() = default;
  virtual Result<std::unique_ptr<CodeRunner>> start(std::uint32_t slot) = 0;
};

}  // namespace fp::tasks

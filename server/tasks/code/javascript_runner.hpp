#pragma once

#include "sandbox/sandbox_process.hpp"
#include "sandbox/wire.hpp"
#include "tasks/code/code_runner.hpp"

#include <optional>
#include <string>

namespace fp::tasks {

/// A sandbox process that runs JavaScript, one step after another, each in a realm of its own. Replaced after
/// a run that was stopped.
class JavascriptRunner final : public CodeRunner {
 public:
  JavascriptRunner(sandbox::SandboxProcess process, const Clock& clock, SteadyPoint now);

  void begin(CodeRun run, SteadyPoint now) override;
  void watch(std::vector<pollfd>& fds) const override;
  void advance(SteadyPoint now) override;
  SteadyPoint next_call() const override;
  void cancel(std::uint64_t id) override;
  void abandon(const Error& error) override;

 private:
  void send();
  bool receive();
  bool accept(const sandbox::wire::Frame& frame);
  void lose();
  void answer(ports::TaskHandler::Output output, State next);

  sandbox::SandboxProcess process_;
  const Clock& clock_;
  std::string outgoing_;
  std::size_t sent_ = 0;
  std::string incoming_;
  std::optional<CodeRun> run_;
  SteadyPoint deadline_;
};

class JavascriptRunnerFactory final : public CodeRunnerFactory {
 public:
  JavascriptRunnerFactory(std::string program, const Clock& clock)
      : program_(std::move(program)), clock_(clock) {}
  Result<std::unique_ptr<CodeRunner>> start(std::uint32_t slot) override;

 private:
  const std::string program_;
  const Clock& clock_;
};

}  // namespace fp::tasks

#pragma once

#include "ports/expression.hpp"
#include "sandbox/sandbox_options.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fp::sandbox {

class IoLoop;

/// Evaluates in sandbox processes: crashes, hangs and bombs end there. Processes are spawned at the first
/// request, or by start(), and replaced when lost; requests are pipelined to them by one I/O thread, on which
/// `done` runs, so it must not block nor call check_syntax() or stop(). Callable from any thread; stop()
/// answers all that waits.
class SandboxedEvaluator final : public ports::ExpressionEvaluator {
 public:
  explicit SandboxedEvaluator(SandboxOptions options = {});
  ~SandboxedEvaluator() override;
  SandboxedEvaluator(const SandboxedEvaluator&) = delete;
  SandboxedEvaluator& operator=(const SandboxedEvaluator&) = delete;

  /// Spawns ahead of the first request. Idempotent.
  void start();
  /// Answers everything that waits with expr.crashed and ends the processes. Idempotent.
  void stop();

  void evaluate(ports::EvaluationRequest request, Done done) override;
  std::vector<std::optional<ports::SyntaxProblem>> check_syntax(
      const std::vector<std::string>& expressions) override;

  SandboxStatus status() const;

 private:
  std::vector<std::optional<ports::SyntaxProblem>> check_each(const std::vector<std::string>& expressions);

  std::atomic<std::uint32_t> next_id_{1};
  const std::unique_ptr<IoLoop> loop_;
};

}  // namespace fp::sandbox

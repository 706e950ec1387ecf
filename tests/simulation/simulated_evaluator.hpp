#pragma once

#include "dice.hpp"
#include "ports/expression.hpp"
#include "ports/loop.hpp"
#include "tally.hpp"

#include <list>

namespace fp::simulation {

/// In the error of expressions that were under way when the sandbox was stopped.
inline constexpr const char* kSandboxStopped = "the sandbox was stopped";

/// Knows the few expressions that random workflows use. Answers at once, late, or with expr.crashed, as the
/// dice fall.
class SimulatedEvaluator final : public ports::ExpressionEvaluator {
 public:
  SimulatedEvaluator(ports::Loop& loop, Dice& dice, Tally& tally, const bool& calm)
      : loop_(loop), dice_(dice), tally_(tally), calm_(calm) {}

  void evaluate(ports::EvaluationRequest request, Done done) override;
  std::vector<std::optional<ports::SyntaxProblem>> check_syntax(
      const std::vector<std::string>& expressions) override {
    return std::vector<std::optional<ports::SyntaxProblem>>(expressions.size());
  }
  /// As the real one: what is under way, and everything from now on, is answered with expr.crashed.
  void stop();
  std::size_t count_pending() const { return pending_.size(); }

 private:
  struct Pending {
    ports::EvaluationRequest request;
    Done done;
  };
  static ports::EvaluationAnswer crash(const ports::EvaluationRequest& request, const char* why);

  ports::Loop& loop_;
  Dice& dice_;
  Tally& tally_;
  const bool& calm_;
  bool stopped_ = false;
  std::list<Pending> pending_;
};

}  // namespace fp::simulation

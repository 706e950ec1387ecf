#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "base/unique_function.hpp"
#include "model/scope_entry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fp::ports {

using model::ScopeEntry;

struct ExpressionLimits {
  Milliseconds time{1000};
  std::size_t memory_bytes = 64u << 20;
  std::size_t result_bytes = 1u << 20;
};

/// JavaScript expressions over one scope, evaluated in one round trip.
struct EvaluationRequest {
  std::vector<ScopeEntry> scope;
  std::vector<std::string> expressions;  // JavaScript source without the braces
  Value items;              // a JSON list, or empty; when set, each expression is evaluated once per
                            // item, with `item` and `index` in scope
  TimePoint now{};          // what Date.now() and new Date() give: a recorded time
  std::uint64_t seed = 0;   // what Math.random() starts from: a recorded value
  ExpressionLimits limits;  // `time` is for the whole request
};

/// One result an expression, or an expression and item: expression-major, items.size() results each.
/// Error codes: expr.undefined, expr.failed (it threw), expr.syntax, expr.timeout, expr.memory, expr.stack,
/// expr.too_large, expr.result (not JSON: a function, a symbol, a cycle), expr.crashed, expr.forbidden.
struct EvaluationAnswer {
  std::vector<Result<Json>> results;
};

struct SyntaxProblem {
  std::size_t line = 1;    // within the expression, from 1
  std::size_t column = 1;  // in code points, from 1
  std::string message;
};

/// JavaScript, evaluated where it can do no harm. One expression never sees a trace of another; a crash, a
/// hang or a memory bomb fails that request only. Safe to call from any thread.
class ExpressionEvaluator {
 public:
  using Done = UniqueFunction<void(EvaluationAnswer)>;
  virtual ~ExpressionEvaluator() = default;

  /// Calls `done` exactly once, on a thread of the evaluator's (or inline, when refused at once because its
  /// bounded queue is full: expr.overloaded, retryable). After stop(), every call is answered with
  /// expr.crashed.
  virtual void evaluate(EvaluationRequest request, Done done) = 0;
  /// Parses without running; blocks. One entry an expression, empty when its syntax is right.
  virtual std::vector<std::optional<SyntaxProblem>> check_syntax(
      const std::vector<std::string>& expressions) = 0;
};

}  // namespace fp::ports

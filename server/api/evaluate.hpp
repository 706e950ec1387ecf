#pragma once

#include "ports/expression.hpp"

#include <vector>

namespace fp::api {

/// Evaluates and waits for the answer. Blocks for at most the request's own time limit and the queue before
/// it.
std::vector<Result<Json>> evaluate_now(ports::ExpressionEvaluator& evaluator,
                                       ports::EvaluationRequest request);

}  // namespace fp::api

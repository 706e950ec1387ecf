#pragma once

#include "model/template.hpp"
#include "ports/expression.hpp"

#include <vector>

namespace fp::api {

/// Evaluates and waits for the answer. Blocks for at most the request's own time limit and the queue before
/// it.
std::vector<Result<Json>> evaluate_now(ports::ExpressionEvaluator& evaluator,
                                       ports::EvaluationRequest request);

/// The value of `wanted`, whose expressions read `names`. Plain paths need no sandbox and do not block;
/// JavaScript does, as evaluate_now().
Result<Json> render_now(ports::ExpressionEvaluator& evaluator, const model::Template& wanted,
                        const JsonObject& names, TimePoint now);

}  // namespace fp::api

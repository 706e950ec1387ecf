#pragma once

#include "model/template.hpp"
#include "ports/expression.hpp"

#include <memory>
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

/// The same without blocking: `done` gets the value at once when only plain paths are read, otherwise on a
/// thread of the evaluator's.
void render_later(ports::ExpressionEvaluator& evaluator, std::shared_ptr<const model::Template> wanted,
                  std::vector<model::ScopeEntry> names, TimePoint now,
                  UniqueFunction<void(Result<Json>)> done);

}  // namespace fp::api

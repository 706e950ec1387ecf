#pragma once

#include "ports/expression.hpp"
#include "sandbox/wire.hpp"

#include <vector>

namespace fp::sandbox {

/// What the answer to `request` means to the caller: values, or errors in the words of the expression's
/// author. `is_sane` is false when a value was no JSON.
ports::EvaluationAnswer make_evaluation_answer(const ports::EvaluationRequest& request, wire::Answer answer,
                                               bool& is_sane);
/// The same error for every result of `request`.
ports::EvaluationAnswer make_failed_answer(const ports::EvaluationRequest& request, const Error& error);
std::vector<std::optional<ports::SyntaxProblem>> make_syntax_problems(const wire::Answer& answer);
/// How many results `request` has.
std::size_t count_results(const ports::EvaluationRequest& request);

}  // namespace fp::sandbox

#pragma once

#include "base/json_parse.hpp"
#include "sandbox/sandbox_process.hpp"
#include "sandbox/sandboxed_evaluator.hpp"

#include <algorithm>
#include <future>
#include <initializer_list>
#include <string>
#include <vector>

namespace fp::sandbox {

/// "input" -> JSON text, for tests.
inline std::vector<ports::ScopeEntry> make_scope(
    std::initializer_list<std::pair<const char*, const char*>> entries) {
  std::vector<ports::ScopeEntry> scope;
  for (const auto& [path, text] : entries) scope.push_back({path, make_value(parse_json(text).value())});
  return scope;
}

inline ports::EvaluationRequest make_request(std::vector<std::string> expressions,
                                             std::vector<ports::ScopeEntry> scope = {}) {
  ports::EvaluationRequest request;
  request.scope = std::move(scope);
  request.expressions = std::move(expressions);
  request.now = TimePoint(Milliseconds(1'700'000'000'000));
  request.seed = 7;
  return request;
}

inline std::future<ports::EvaluationAnswer> evaluate_later(SandboxedEvaluator& evaluator,
                                                           ports::EvaluationRequest request) {
  auto promise = std::make_shared<std::promise<ports::EvaluationAnswer>>();
  auto future = promise->get_future();
  evaluator.evaluate(std::move(request),
                     [promise](ports::EvaluationAnswer answer) { promise->set_value(std::move(answer)); });
  return future;
}

/// JSON text of each result, or its error code and message.
inline std::vector<std::string> evaluate_all(SandboxedEvaluator& evaluator,
                                             ports::EvaluationRequest request) {
  std::vector<std::string> texts;
  for (auto& result : evaluate_later(evaluator, std::move(request)).get().results) {
    texts.push_back(result ? to_text(*result) : result.error().code + ": " + result.error().message);
  }
  return texts;
}

inline std::string evaluate_one(SandboxedEvaluator& evaluator, std::string expression,
                                std::vector<ports::ScopeEntry> scope = {}) {
  return evaluate_all(evaluator, make_request({std::move(expression)}, std::move(scope))).front();
}

}  // namespace fp::sandbox

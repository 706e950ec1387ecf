#include "api/evaluate.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <memory>
#include <string>

namespace fp::api {

namespace {

/// Reads plain paths out of one object of all names in scope.
class SampleScope final : public model::Scope {
 public:
  explicit SampleScope(const JsonObject& names) : names_(names) {}
  Result<const Json*> read(const model::Path& path, Json& scratch) const override {
    const auto* found = names_.if_contains(path.root());
    if (found == nullptr)
      return Error(codes::expr_undefined, fmt::format("`{}` is not defined here", path.root()));
    return model::walk(*found, path, 1, scratch);
  }

 private:
  const JsonObject& names_;
};

}  // namespace

std::vector<Result<Json>> evaluate_now(ports::ExpressionEvaluator& evaluator,
                                       ports::EvaluationRequest request) {
  // Shared: the waiter may go on before set_value() has returned.
  auto promise = std::make_shared<std::promise<ports::EvaluationAnswer>>();
  auto answer = promise->get_future();
  evaluator.evaluate(std::move(request),
                     [promise](ports::EvaluationAnswer given) { promise->set_value(std::move(given)); });
  return answer.get().results;
}

Result<Json> render_now(ports::ExpressionEvaluator& evaluator, const model::Template& wanted,
                        const JsonObject& names, TimePoint now) {
  const SampleScope scope(names);
  const auto& javascript = wanted.javascript();
  std::vector<Result<Json>> answers;
  if (!javascript.empty()) {
    ports::EvaluationRequest request;
    request.now = now;
    std::vector<std::string> roots;
    for (const auto* expression : javascript) {
      request.expressions.push_back(expression->source);
      roots.insert(roots.end(), expression->roots.begin(), expression->roots.end());
    }
    for (const auto& member : names) {
      if (std::find(roots.begin(), roots.end(), member.key()) != roots.end())
        request.scope.push_back({std::string(member.key()), make_value(member.value())});
    }
    answers = evaluate_now(evaluator, std::move(request));
  }
  return wanted.render(scope, answers);
}

}  // namespace fp::api

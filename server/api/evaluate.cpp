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

/// The same out of shared values.
class SharedScope final : public model::Scope {
 public:
  explicit SharedScope(const std::vector<model::ScopeEntry>& names) : names_(names) {}
  Result<const Json*> read(const model::Path& path, Json& scratch) const override {
    const auto found = std::ranges::find(names_, path.root(), &model::ScopeEntry::path);
    if (found == names_.end())
      return Error(codes::expr_undefined, fmt::format("`{}` is not defined here", path.root()));
    return model::walk(*found->value, path, 1, scratch);
  }

 private:
  const std::vector<model::ScopeEntry>& names_;
};

/// What the sandbox is asked, and the names it may read for it.
struct Question {
  ports::EvaluationRequest request;
  std::vector<std::string> roots;
  bool reads(std::string_view name) const { return std::ranges::find(roots, name) != roots.end(); }
};

Question ask(const std::vector<const model::Expression*>& javascript, TimePoint now) {
  Question out;
  out.request.now = now;
  for (const auto* expression : javascript) {
    out.request.expressions.push_back(expression->source);
    out.roots.insert(out.roots.end(), expression->roots.begin(), expression->roots.end());
  }
  return out;
}

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
    auto question = ask(javascript, now);
    for (const auto& member : names) {
      if (question.reads(member.key()))
        question.request.scope.push_back({std::string(member.key()), make_value(member.value())});
    }
    answers = evaluate_now(evaluator, std::move(question.request));
  }
  return wanted.render(scope, answers);
}

void render_later(ports::ExpressionEvaluator& evaluator, std::shared_ptr<const model::Template> wanted,
                  std::vector<model::ScopeEntry> names, TimePoint now,
                  UniqueFunction<void(Result<Json>)> done) {
  const auto& javascript = wanted->javascript();
  if (javascript.empty()) return done(wanted->render(SharedScope(names), {}));
  auto question = ask(javascript, now);
  for (const auto& name : names) {
    if (question.reads(name.path)) question.request.scope.push_back(name);
  }
  evaluator.evaluate(std::move(question.request),
                     [wanted = std::move(wanted), names = std::move(names),
                      done = std::move(done)](ports::EvaluationAnswer answer) mutable {
                       done(wanted->render(SharedScope(names), answer.results));
                     });
}

}  // namespace fp::api

#include "api/evaluate.hpp"
#include "api/services.hpp"
#include "base/error_code.hpp"
#include "base/text.hpp"
#include "model/template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>

namespace fp::api {

std::vector<Result<Json>> evaluate_now(ports::ExpressionEvaluator& evaluator,
                                       ports::EvaluationRequest request) {
  // Shared: the waiter may go on before set_value() has returned.
  auto promise = std::make_shared<std::promise<ports::EvaluationAnswer>>();
  auto answer = promise->get_future();
  evaluator.evaluate(std::move(request),
                     [promise](ports::EvaluationAnswer given) { promise->set_value(std::move(given)); });
  return answer.get().results;
}

namespace {

using Response = net::Response;

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

/// The names an execution gives: input, steps, vars, execution, workflow.
JsonObject names_of(const engine::ExecutionState& state) {
  const auto value = [](const Value& v) { return v ? *v : Json(nullptr); };
  JsonObject steps;
  for (const auto& step : state.workflow->steps) {
    const auto& task = state.steps[step.index].task;
    steps[step.id] = JsonObject{{"output", value(task.output)},
                                {"error", task.error ? fp::to_json(*task.error) : Json(nullptr)}};
  }
  return {{"input", value(state.input)},
          {"steps", std::move(steps)},
          {"vars", value(state.vars)},
          {"execution", value(state.execution_info)},
          {"workflow", value(state.workflow_info)}};
}

Result<Json> render(Services& s, const model::Template& wanted, const JsonObject& names, TimePoint now) {
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
    answers = evaluate_now(s.expressions, std::move(request));
  }
  return wanted.render(scope, answers);
}

Json answer(const Result<Json>& value) {
  return JsonObject{{"ok", value.has_value()},
                    {"value", value ? *value : Json(nullptr)},
                    {"error", value ? Json(nullptr) : to_problem(value.error())}};
}

Result<Response> preview(Services& s, const Call& call) {
  JsonObject names;
  auto now = s.clock.now();
  if (const auto text = json_string(call.body, "execution"); !text.empty()) {
    const auto loaded = s.runtime.journal().load(*parse_uuid<ExecutionId>(text));
    if (!loaded) return Error(codes::not_found, fmt::format("there is no execution {}", text));
    names = names_of(loaded->state);
  }
  if (const auto* data = json_find(call.body, "data")) {
    for (const auto& member : data->get_object()) {
      const auto known = std::find(std::begin(model::kScopeRoots), std::end(model::kScopeRoots),
                                   std::string_view(member.key()));
      if (known == std::end(model::kScopeRoots)) {
        Error error(codes::field_unknown, fmt::format("expressions know no name \"{}\"", echo(member.key())));
        error.issues.push_back(
            {"/data/" + pointer_token(member.key()), codes::field_unknown.id, error.message});
        return error;
      }
      names[member.key()] = member.value();
    }
  }
  names.emplace("vars", *s.options.vars);
  std::vector<Issue> issues;
  const auto wanted = model::Template::parse(call.body.at("template"), "/template", issues);
  if (issues.empty()) return json_response(200, answer(render(s, wanted, names, now)));
  Error error(codes::expr_syntax, issues.front().message);
  error.issues = std::move(issues);
  return json_response(200, answer(error));
}

}  // namespace

void install_expressions(Router& router, Services& s) {
  router.add_blocking(Operation::preview_expression, [&s](Call& call) { return preview(s, call); });
}

}  // namespace fp::api

#include "api/evaluate.hpp"
#include "api/services.hpp"
#include "base/error_code.hpp"
#include "base/text.hpp"
#include "model/template.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

namespace {

using Response = net::Response;

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
  if (issues.empty()) return json_response(200, answer(render_now(s.expressions, wanted, names, now)));
  Error error(codes::expr_syntax, issues.front().message);
  error.issues = std::move(issues);
  return json_response(200, answer(error));
}

}  // namespace

void install_expressions(Router& router, Services& s) {
  router.add_blocking(Operation::preview_expression, [&s](Call& call) { return preview(s, call); });
}

}  // namespace fp::api

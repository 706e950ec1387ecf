#include "api/part.hpp"

#include "base/error_code.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

namespace {

constexpr const char* kMembers[] = {"pins", "partial", "dry_run"};

/// Reads an order out of a body whose shape the router has checked; collects everything that does not fit.
class OrderReader {
 public:
  OrderReader(Services& services, const model::Workflow& workflow, const WorkflowId& id, const Json& body)
      : services_(services), workflow_(workflow), id_(id) {
    read_partial(json_find(body, "partial"));
    if (const auto* pins = json_find(body, "pins")) read_pins(pins->get_object());
  }

  std::vector<Issue> issues;
  engine::PartialOrder order;
  std::optional<runtime::LoadedState> earlier;

 private:
  void report(std::string pointer, std::string message) {
    issues.push_back({std::move(pointer), codes::partial_invalid.id, std::move(message)});
  }

  void read_partial(const Json* partial) {
    using Mode = engine::PartialOrder::Mode;
    if (partial == nullptr) return;
    const auto mode = json_string(*partial, "mode");
    order.mode = mode == "to" ? Mode::to : mode == "only" ? Mode::only : Mode::from;
    order.step = find_step("/partial/step", json_string(*partial, "step"));
    const auto execution = parse_uuid<ExecutionId>(json_string(*partial, "execution"));
    if (!execution) return;  // none, or null
    earlier = services_.runtime.journal().load(*execution);
    if (!earlier)
      report("/partial/execution", fmt::format("there is no execution {}", to_string(*execution)));
    else if (earlier->state.workflow_id != id_)
      report("/partial/execution", "that execution is one of another workflow");
  }

  void read_pins(const JsonObject& pins) {
    for (const auto& [step, output] : pins) {
      const auto pointer = "/pins/" + pointer_token(step);
      const auto index = find_step(pointer, step);
      if (index == model::kNoStep) continue;
      if (index == order.step) report(pointer, "this is the step to run, so no value can stand in for it");
      order.pins.emplace(index, make_value(output));
    }
  }

  model::StepIndex find_step(const std::string& pointer, std::string_view step) {
    const auto* found = workflow_.find_step(step);
    if (found == nullptr)
      report(pointer, fmt::format("there is no step {} in the draft", model::quote(step)));
    else if (found->is_compensation)
      report(pointer, fmt::format("{} runs only to undo another step", model::quote(step)));
    else
      return found->index;
    return model::kNoStep;
  }

  Services& services_;
  const model::Workflow& workflow_;
  const WorkflowId& id_;
};

Error refuse(std::vector<Issue> issues) {
  Error error(codes::partial_invalid, issues.front().message);
  error.issues = std::move(issues);
  return error;
}

}  // namespace

bool wants_part(const Json& body) {
  return std::ranges::any_of(kMembers, [&](const char* name) {
    const auto* member = json_find(body, name);
    return member != nullptr && *member != Json(false);
  });
}

Error refuse_part(const Json& body) {
  std::vector<Issue> issues;
  for (const auto* name : kMembers) {
    if (json_find(body, name) != nullptr)
      issues.push_back(
          {std::string("/") + name, codes::partial_invalid.id,
           fmt::format("{} is for drafts: a published version runs as it is (say draft: true)", name)});
  }
  return refuse(std::move(issues));
}

Result<void> plan_part(Services& services, const model::Workflow& workflow, const WorkflowId& id,
                       const Json& body, model::event::ExecutionStarted& started) {
  OrderReader reader(services, workflow, id, body);
  if (!reader.issues.empty()) return refuse(std::move(reader.issues));
  const auto* earlier = reader.earlier ? &reader.earlier->state : nullptr;
  if (earlier != nullptr && json_find(body, "input") == nullptr) started.input = earlier->input;
  return engine::plan_partial(workflow, reader.order, earlier, started);
}

JsonObject to_json(const engine::RunPlan& plan, const model::Workflow& workflow) {
  const auto name = [&](model::StepIndex index) { return Json(workflow.steps[index].id); };
  JsonArray run;
  JsonArray reuse;
  JsonArray skip;
  for (const auto index : plan.run) run.push_back(name(index));
  for (const auto index : plan.reused)
    reuse.push_back(JsonObject{{"step", name(index)}, {"source", "execution"}});
  for (const auto index : plan.pinned) reuse.push_back(JsonObject{{"step", name(index)}, {"source", "pin"}});
  for (const auto index : plan.skip) skip.push_back(name(index));
  return {{"run", std::move(run)}, {"reuse", std::move(reuse)}, {"skip", std::move(skip)}};
}

}  // namespace fp::api

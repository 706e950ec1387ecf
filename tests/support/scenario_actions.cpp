#include "support/scenario_actions.hpp"

#include "engine/plan.hpp"

#include <gtest/gtest.h>

namespace fp::tests {

namespace in = engine::input;

namespace {

engine::Input decide_approval(const Action& action, const model::Workflow& workflow, bool approved) {
  const auto id =
      action.argument.is_string() ? to_display_text(action.argument) : json_string(action.argument, "step");
  const auto* step = workflow.find_step(id);
  EXPECT_NE(step, nullptr) << "no step " << id;
  const JsonObject output{{"approved", approved},
                          {"by", "ada"},
                          {"comment", json_string(action.argument, "comment")},
                          {"data", nullptr}};
  return in::ApprovalDecided{{step->index, model::kNoItem}, approved, make_value(output)};
}

}  // namespace

std::optional<engine::Input> to_input(const Action& action, const model::Workflow& workflow) {
  if (action.verb == "signal") {
    const auto* payload = json_find(action.argument, "payload");
    return in::Signal{json_string(action.argument, "name"),
                      make_value(payload == nullptr ? Json(nullptr) : *payload)};
  }
  if (action.verb == "event") {
    const auto* data = json_find(action.argument, "data");
    const auto name = json_string(action.argument, "name");
    const auto key = json_string(action.argument, "key");
    const JsonObject event{{"name", name}, {"key", key}, {"data", data == nullptr ? Json(nullptr) : *data}};
    return in::EventArrived{static_cast<std::uint64_t>(json_int(action.argument, "number").value_or(1)), name,
                            key, make_value(event)};
  }
  if (action.verb == "approve") return decide_approval(action, workflow, true);
  if (action.verb == "reject") return decide_approval(action, workflow, false);
  if (action.verb == "cancel") return in::Cancel{to_display_text(action.argument)};
  if (action.verb == "pause") return in::Pause{to_display_text(action.argument)};
  if (action.verb == "resume") return in::Resume{};
  if (action.verb == "retry") return in::RetryFailed{};
  EXPECT_EQ(action.verb, "crash") << "an action a scenario does not know";
  return std::nullopt;
}

namespace {

engine::ExecutionState make_earlier(const Scenario& scenario) {
  auto state =
      engine::make_state(*parse_uuid<ExecutionId>("01900000-0000-7000-8000-00000000000e"), scenario.workflow);
  for (const auto& step : scenario.workflow->steps) {
    auto& task = state.steps[step.index].task;
    const auto* output = json_find(scenario.earlier, step.id);
    task.status = output != nullptr ? model::TaskStatus::completed : model::TaskStatus::skipped;
    if (output == nullptr) continue;
    auto way = engine::way_out(step, *output);
    task.output = make_value(*output);
    task.port = std::move(way.port);
    task.plain_taken = way.plain_taken;
  }
  return state;
}

void take_a_part(const Scenario& scenario, model::event::ExecutionStarted& started) {
  using Mode = engine::PartialOrder::Mode;
  engine::PartialOrder order;
  const auto mode = json_string(scenario.partial, "mode");
  if (mode == "to") order.mode = Mode::to;
  if (mode == "only") order.mode = Mode::only;
  if (mode == "from") order.mode = Mode::from;
  if (const auto* step = scenario.workflow->find_step(json_string(scenario.partial, "step")))
    order.step = step->index;
  for (const auto& [id, output] : scenario.pins.as_object())
    order.pins.emplace(scenario.workflow->find_step(id)->index, make_value(output));
  const auto earlier = make_earlier(scenario);
  const auto planned = engine::plan_partial(*scenario.workflow, order,
                                            scenario.earlier.is_null() ? nullptr : &earlier, started);
  if (!planned) ADD_FAILURE() << planned.error().message;
}

}  // namespace

model::event::ExecutionStarted make_start(const Scenario& scenario) {
  model::event::ExecutionStarted out;
  out.workflow_name = scenario.workflow->name;
  out.version_hash = scenario.workflow->hash;
  out.input = make_value(scenario.input);
  out.vars = make_value(scenario.vars);
  out.seed = 42;
  out.trigger = "manual";
  take_a_part(scenario, out);
  return out;
}

}  // namespace fp::tests

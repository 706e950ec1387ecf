#include "support/scenario_actions.hpp"

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
  if (action.verb == "approve") return decide_approval(action, workflow, true);
  if (action.verb == "reject") return decide_approval(action, workflow, false);
  if (action.verb == "cancel") return in::Cancel{to_display_text(action.argument)};
  if (action.verb == "pause") return in::Pause{to_display_text(action.argument)};
  if (action.verb == "resume") return in::Resume{};
  if (action.verb == "retry") return in::RetryFailed{};
  EXPECT_EQ(action.verb, "crash") << "an action a scenario does not know";
  return std::nullopt;
}

model::event::ExecutionStarted make_start(const Scenario& scenario) {
  model::event::ExecutionStarted out;
  out.workflow_name = scenario.workflow->name;
  out.version_hash = scenario.workflow->hash;
  out.input = make_value(scenario.input);
  out.vars = make_value(scenario.vars);
  out.seed = 42;
  out.trigger = "manual";
  return out;
}

}  // namespace fp::tests

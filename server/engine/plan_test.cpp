#include "engine/plan.hpp"

#include "base/json_parse.hpp"
#include "engine/codec.hpp"
#include "engine/steps/step.hpp"

#include <gtest/gtest.h>

namespace fp::engine {
namespace {

/// a --> c ==true==> yes --> last        c decides; lone stands alone
///        \==false=> no ----^
std::shared_ptr<const model::Workflow> make_workflow() {
  static const model::TaskTypeRegistry types = [] {
    model::TaskTypeRegistry out;
    register_engine_steps(out);
    return out;
  }();
  auto document = model::parse_document(R"(
name: W
steps:
  - {id: last, step_type: set, depends_on: ["yes", "no"], config: {values: {}}}
  - {id: lone, step_type: set, config: {values: {}}}
  - {id: a, step_type: set, config: {values: {}}}
  - {id: c, step_type: conditional, depends_on: [a], config: {condition: true}}
  - {id: "yes", step_type: set, depends_on: [{step: c, when: "true"}], config: {values: {}}}
  - {id: "no", step_type: set, depends_on: [{step: c, when: "false"}], config: {values: {}}}
)");
  return *model::read_workflow(std::move(*document), types);
}

std::vector<std::string> names(const model::Workflow& workflow, const std::vector<model::StepIndex>& steps) {
  std::vector<std::string> out;
  for (const auto index : steps) out.push_back(workflow.steps[index].id);
  return out;
}

using Names = std::vector<std::string>;

TEST(Plan, ListsSourcesFirstAndThenTheOrderOfTheDocument) {
  const auto workflow = make_workflow();
  EXPECT_EQ(names(*workflow, sort_topologically(*workflow)), (Names{"lone", "a", "c", "yes", "no", "last"}));
}

TEST(Plan, SkipsTheWayThatAKnownChoiceDoesNotTake) {
  const auto workflow = make_workflow();
  model::event::ExecutionStarted started;
  const auto choice = workflow->find_step("c")->index;
  started.reused.push_back({choice, make_value(JsonObject{{"result", false}}), "false", true, true});
  const auto plan = foresee(*workflow, started);
  EXPECT_EQ(names(*workflow, plan.run), (Names{"lone", "a", "no", "last"}));
  EXPECT_EQ(names(*workflow, plan.pinned), Names{"c"});
  EXPECT_EQ(names(*workflow, plan.skip), Names{"yes"});
}

TEST(Plan, SurvivesTheJournalAndASnapshot) {
  const auto workflow = make_workflow();
  const auto index = [&](const char* id) { return workflow->find_step(id)->index; };
  model::event::ExecutionStarted started;
  started.reused_from = parse_uuid<ExecutionId>("01900000-0000-7000-8000-00000000000e").value();
  started.reused.push_back({index("a"), make_value(1), "", true, true});
  started.pins.push_back({index("no"), make_value("kept")});
  started.left_out = {index("lone"), index("last")};
  const Event event = started;
  const auto read = decode_events(encode_events(std::span(&event, 1), *workflow), *workflow);
  const auto& again = std::get<model::event::ExecutionStarted>(read.front());
  EXPECT_EQ(again.reused_from, started.reused_from);
  EXPECT_TRUE(again.reused.front().pinned);
  EXPECT_EQ(again.left_out, started.left_out);
  ASSERT_EQ(again.pins.size(), 1U);
  EXPECT_EQ(*again.pins.front().output, Json("kept"));

  auto state = make_state(*started.reused_from, workflow);
  apply(state, again, TimePoint{});
  const auto back = decode_state(encode_state(state), workflow);
  ASSERT_TRUE(back.steps[index("no")].pin);
  EXPECT_EQ(*back.steps[index("no")].pin, Json("kept"));
  EXPECT_TRUE(back.steps[index("lone")].left_out);
  EXPECT_FALSE(back.steps[index("a")].left_out);
}

}  // namespace
}  // namespace fp::engine

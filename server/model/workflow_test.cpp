#include "model/workflow.hpp"

#include "base/json_parse.hpp"

#include <gtest/gtest.h>

namespace fp::model {
namespace {

const TaskTypeRegistry& types() {
  static const TaskTypeRegistry registry = [] {
    TaskTypeRegistry out;
    TaskTypeSpec work;
    work.type = "work";
    work.config_schema = *parse_json(R"({"type":"object","additionalProperties":false,
      "properties":{"url":{"type":"string"},"n":{"type":"integer"},"any":true},"required":["url"]})");
    out.add(work);
    TaskTypeSpec branch;
    branch.type = "branch";
    branch.config_schema = Json(true);
    branch.ports = {"true", "false"};
    out.add(branch);
    return out;
  }();
  return registry;
}

std::vector<std::string> problems(const char* yaml, const SyntaxCheck& check = {}) {
  const auto document = parse_document(yaml);
  EXPECT_TRUE(document) << document.error().message;
  const auto read = read_workflow(*document, types(), check);
  std::vector<std::string> out;
  if (!read) {
    for (const auto& issue : read.error().issues)
      out.push_back(issue.pointer + " " + issue.code + ": " + issue.message);
  }
  return out;
}

using Problems = std::vector<std::string>;

TEST(ReadWorkflow, AcceptsTheWholeStepVocabulary) {
  EXPECT_EQ(problems(R"(
name: All
inputs: {type: object, required: [email], properties: {email: {type: string}}}
triggers:
  - {id: nightly, trigger_type: schedule, trigger_config: {cron: "0 6 * * *", timezone: Europe/Berlin}, enabled: false}
settings: {timeout_seconds: 3600, concurrency: {limit: 10, key: "{{ input.email }}"}, retention_days: 30}
steps:
  - {id: a, name: First, step_type: work, config: {url: "{{ input.email }}", n: "{{ input.n }}"},
     retry_config: {max_attempts: 5, backoff: 2.0, non_retryable: [http.4xx]}, timeout_seconds: 30, compensate: undo}
  - {id: b, step_type: branch, depends_on: [a], on_error: continue}
  - {id: c, step_type: work, config: {url: x}, depends_on: [{step: b, when: true}, {step: a, when: error}], join: any}
  - {id: d, step_type: work, config: {url: "{{ item }}"}, for_each: "{{ steps.a.output }}", depends_on: [a], max_parallel: 3}
  - {id: undo, step_type: work, config: {url: "{{ steps.a.output.id }}"}}
output: {x: "{{ steps.d.output }}"}
ui: {positions: {}}
)"),
            Problems{});
}

TEST(ReadWorkflow, ReportsEverythingWrongAtOnce) {
  EXPECT_EQ(
      problems(R"(
nme: X
steps:
  - {id: A, step_type: wrk}
  - {id: b, step_type: work, config: {urll: x, n: no}, depends_on: [c, {step: d, when: maybe}], retries: 3}
  - {id: d, step_type: branch, for_each: [1], timeout_seconds: 0, on_error: ignore}
  - {id: d, step_type: branch, depends_on: [d]}
)"),
      (Problems{
          " field.missing: \"name\" is missing",
          "/nme field.unknown: there is no field \"nme\" (did you mean \"name\"?)",
          "/steps/0/id step.id: \"A\" is no step id: use a-z, 0-9 and _, start with a letter, at most 63",
          "/steps/0/step_type step.type: there is no step type \"wrk\" (did you mean \"work\"?)",
          "/steps/1/config field.missing: \"url\" is missing",
          "/steps/1/config/urll field.unknown: there is no field \"urll\" (did you mean \"url\"?)",
          "/steps/1/config/n field.type: this must be of type integer, not a string",
          "/steps/1/retries field.unknown: there is no field \"retries\"",
          "/steps/2/for_each step.for_each: a branch step has several ways out, so it can not run once per "
          "item",
          "/steps/2/on_error field.range: \"on_error\" must be one of fail, continue, not \"ignore\"",
          "/steps/2/timeout_seconds field.range: \"timeout_seconds\" must be between 0.001 and 316224000",
          "/steps/3/id workflow.duplicate_id: the step id \"d\" is taken",
          "/steps/1/depends_on/0 workflow.edge: there is no step \"c\"",
          "/steps/1/depends_on/1 workflow.edge: the step \"d\" has no way out \"maybe\"; it has true, false, "
          "error",
      }));
}

TEST(ReadWorkflow, NamesTheStepsOfACycle) {
  //  a -> b -> c -> b
  const auto found = problems(R"(
name: X
steps:
  - {id: a, step_type: branch}
  - {id: b, step_type: branch, depends_on: [a, c]}
  - {id: c, step_type: branch, depends_on: [b]}
)");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].find("workflow.cycle: these steps wait for each other in a circle: "), std::string::npos)
      << found[0];
  EXPECT_NE(found[0].find("b -> c -> b"), std::string::npos) << found[0];
}

TEST(ReadWorkflow, ChecksWhatExpressionsRead) {
  EXPECT_EQ(problems(R"(
name: X
steps:
  - {id: a, step_type: work, config: {url: "{{ steps.b.output.x + steps.zz.output }}", any: "{{ item.x }}"}}
  - {id: b, step_type: work, config: {url: "{{ steps.a.data }}"}, depends_on: [a]}
)"),
            (Problems{
                "/steps/0/config/url expr.reference: the step \"b\" does not run before \"a\": add it to "
                "depends_on",
                "/steps/0/config/url expr.reference: there is no step \"zz\"",
                "/steps/0/config/any expr.reference: `item` and `index` exist only in a step with for_each",
                "/steps/1/config/url expr.reference: `steps.a` has only `output` and `error`; write "
                "steps.a.output.data",
            }));
}

TEST(ReadWorkflow, PlacesSyntaxProblemsWithinTheWholeText) {
  const auto check = [](const std::vector<std::string>& sources) {
    std::vector<std::optional<ExpressionProblem>> out(sources.size());
    out[0] = ExpressionProblem{1, 4, "unexpected token"};
    return out;
  };
  EXPECT_EQ(
      problems("name: X\nsteps:\n  - {id: a, step_type: work, config: {url: \"go {{ 1 + }}\"}}\n", check),
      (Problems{"/steps/0/config/url expr.syntax: at line 1, column 9 of this text: unexpected token"}));
}

TEST(ReadWorkflow, ChecksTriggers) {
  EXPECT_EQ(
      problems(R"(
name: X
triggers:
  - {id: a, trigger_type: schedule, trigger_config: {cron: "61 * * * *", timezone: Mars/X}}
  - {id: a, trigger_type: hook}
  - {id: c, trigger_type: schedule, trigger_config: {cron: "0 0 30 2 *"}}
steps: [{id: a, step_type: branch}]
)"),
      (Problems{
          "/triggers/0/trigger_config/cron cron.syntax: the minute field \"61\" must hold values from 0 to "
          "59",
          "/triggers/0/trigger_config/timezone tz.unknown: \"Mars/X\" is no time zone of the tz database, "
          "such as Europe/Berlin",
          "/triggers/1/id workflow.duplicate_id: the trigger id \"a\" is taken",
          "/triggers/1/trigger_type field.range: \"trigger_type\" must be one of manual, webhook, schedule, "
          "event, http_poll, file_watch, not \"hook\"",
          "/triggers/2/trigger_config/cron cron.never_fires: \"0 0 30 2 *\" names a day that no month has",
      }));
}

TEST(CheckInput, UsesTheWorkflowsOwnSchema) {
  const auto workflow = read_workflow(
      *parse_document(
          "name: X\ninputs: {type: object, required: [email]}\nsteps: [{id: a, step_type: branch}]\n"),
      types());
  ASSERT_TRUE(workflow);
  EXPECT_TRUE(check_input(**workflow, *parse_json(R"({"email":"x"})")));
  EXPECT_EQ(check_input(**workflow, Json(JsonObject())).error().issues[0].message, "\"email\" is missing");
}

TEST(MatchesCode, KnowsFamilies) {
  EXPECT_TRUE(matches_code("http.4xx", "http.404"));
  EXPECT_TRUE(matches_code("http.4xx", "http.4xx"));
  EXPECT_FALSE(matches_code("http.4xx", "http.503"));
  EXPECT_TRUE(matches_code("expr.*", "expr.timeout"));
  EXPECT_FALSE(matches_code("expr.timeout", "expr.time"));
}

}  // namespace
}  // namespace fp::model

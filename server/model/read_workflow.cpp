#include "base/error_code.hpp"
#include "base/hash.hpp"
#include "model/json_schema.hpp"
#include "model/reading.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

namespace fp::model {

namespace {

constexpr std::size_t kMaxIssues = 50;

void read_settings(Reading& reading, const Json& json) {
  auto& settings = reading.workflow.settings;
  ObjectReader reader(json, "/settings", reading.issues);
  settings.timeout = reader.find_seconds("timeout_seconds", 0.001, 10.0 * 366 * 86'400);
  settings.on_failure = reader.get_text("on_failure", "");
  settings.retention_days = reader.find_whole("retention_days", 1, 36'500);
  if (const auto* concurrency = reader.find_object("concurrency")) {
    ObjectReader inner(*concurrency, "/settings/concurrency", reading.issues);
    inner.require("limit");
    settings.concurrency_limit = inner.find_whole("limit", 1, 100'000);
    settings.concurrency_key = inner.find_text("key");
    inner.finish();
  }
  reader.finish();
}

void read_head(Reading& reading, const Json& document) {
  ObjectReader reader(document, "", reading.issues);
  reader.require("name");
  reader.require("steps");
  auto& workflow = reading.workflow;
  workflow.name = reader.get_text("name", "");
  if (const auto* name = json_find(document, "name");
      name && name->is_string() && (workflow.name.empty() || workflow.name.size() > 200)) {
    reader.report("name", codes::field_range.id, "a workflow's name has 1 to 200 bytes");
  }
  reader.find_text("description");
  if (const auto* inputs = reader.find_object("inputs")) {
    workflow.inputs = *inputs;
    check_schema(*inputs, "/inputs", reading.issues);
  }
  if (const auto* triggers = reader.find("triggers")) check_triggers(reading, *triggers);
  if (const auto* settings = reader.find_object("settings")) read_settings(reading, *settings);
  if (const auto* tags = reader.find_array("tags")) {
    for (const auto& tag : *tags) {
      if (!tag.is_string()) reader.report("tags", codes::field_type.id, "\"tags\" must be a list of texts");
    }
  }
  reader.find_array("steps");
  if (const auto* output = reader.find("output"))
    workflow.output = Template::parse(*output, "/output", reading.issues);
  reader.find("ui");
  reader.finish();
}

}  // namespace

const Step* Workflow::find_step(std::string_view id) const {
  const auto found = by_id.find(std::string(id));
  return found == by_id.end() ? nullptr : &steps[found->second];
}

Result<std::shared_ptr<const Workflow>> read_workflow(Json document, const TaskTypeRegistry& types,
                                                      const SyntaxCheck& check_syntax,
                                                      const ReadLimits& limits) {
  auto workflow = std::make_shared<Workflow>();
  std::vector<Issue> issues;
  Reading reading{types, limits, *workflow, issues};
  if (document.is_object()) {
    read_head(reading, document);
    read_steps(reading, document);
    read_edges(reading, document);
    check_expressions(reading, check_syntax);
  } else {
    issues.push_back(
        {"", codes::field_type.id,
         fmt::format("a workflow is an object with name and steps, not {}", json_type_name(document))});
  }
  if (!issues.empty()) {
    Error error(codes::workflow_invalid,
                issues.size() == 1 ? "one thing is wrong with this workflow"
                                   : fmt::format("{} things are wrong with this workflow", issues.size()));
    if (issues.size() > kMaxIssues) issues.resize(kMaxIssues);
    error.issues = std::move(issues);
    return error;
  }
  workflow->hash = to_hex(hash_256(to_text(document)));
  workflow->document = std::move(document);
  return std::shared_ptr<const Workflow>(std::move(workflow));
}

Result<void> check_input(const Workflow& workflow, const Json& input) {
  if (workflow.inputs.is_null()) return {};
  std::vector<Issue> issues;
  check_against_schema(input, workflow.inputs, "", issues);
  if (issues.empty()) return {};
  Error error(codes::input_invalid,
              fmt::format("the input does not fit what \"{}\" asks for", workflow.name));
  error.issues = std::move(issues);
  return error;
}

}  // namespace fp::model

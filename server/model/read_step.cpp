#include "base/error_code.hpp"
#include "model/json_schema.hpp"
#include "model/reading.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace fp::model {

namespace {

bool is_step_id(std::string_view id) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (id.empty() || id.size() > 63 || !is_lower(id[0])) return false;
  return std::all_of(id.begin(), id.end(),
                     [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

/// The type's fields that are evaluated once per item leave the config and become templates of their own.
void read_config(Reading& reading, Step& step, const Json& config, const std::string& pointer) {
  JsonObject plain = config.get_object();
  for (const auto& field : step.type->per_item) {
    const auto found = plain.find(field);
    if (found == plain.end()) continue;
    step.per_item.emplace_back(field, Template::parse(found->value(), pointer + "/" + field, reading.issues));
    plain.erase(found);
  }
  step.config = Template::parse(Json(std::move(plain)), pointer, reading.issues, step.type->literal);
  if (step.config.is_constant()) step.constant_config = make_value(step.config.constant());
  SchemaOptions options;
  options.is_open = [](const Json& value) {
    return value.is_string() && std::string_view(value.get_string()).find("{{") != std::string_view::npos;
  };
  check_against_schema(config, step.type->config_schema, pointer, reading.issues, options);
}

std::vector<std::string> list_ports(const Step& step, const Json& config) {
  if (!step.type->dynamic_ports) return step.type->ports;
  std::vector<std::string> ports;
  if (const auto* cases = json_find(config, "cases"); cases && cases->is_array()) {
    for (const auto& entry : cases->get_array()) ports.push_back(json_string(entry, "name"));
  }
  ports.emplace_back("default");
  return ports;
}

void check_case_names(Reading& reading, const Step& step, const std::string& pointer) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < step.ports.size(); ++i) {
    if (!seen.insert(step.ports[i]).second || step.ports[i] == "error") {
      reading.issues.push_back({fmt::format("{}/config/cases/{}/name", pointer, i),
                                codes::workflow_duplicate_id.id,
                                fmt::format("the case name {} is taken", quote(step.ports[i]))});
    }
  }
}

void read_type(Reading& reading, ObjectReader& reader, Step& step, const std::string& pointer) {
  reader.require("step_type");
  const auto type = reader.find_text("step_type");
  const auto* config = reader.find_object("config");
  if (!type) return;
  step.type = reading.types.find(*type);
  if (step.type == nullptr) {
    const auto hint = suggest(*type, reading.types.list_names());
    const auto remedy = type->find('.') == std::string::npos
                            ? ""
                            : "; is a worker that registers this function running (--tasks DIR, or python -m "
                              "flowpilot worker)?";
    reader.report("step_type", codes::step_type.id,
                  fmt::format("there is no step type {}{}{}", quote(*type), hint, remedy));
    if (config != nullptr)
      step.config = Template::parse(*config, pointer + "/config",
                                    reading.issues);  // its expressions are checked all the same
    return;
  }
  static const Json kEmpty = JsonObject();
  const Json& given = config == nullptr ? kEmpty : *config;
  read_config(reading, step, given, pointer + "/config");
  step.ports = list_ports(step, given);
  if (step.type->dynamic_ports) check_case_names(reading, step, pointer);
}

void read_for_each(Reading& reading, ObjectReader& reader, Step& step, const std::string& pointer) {
  step.max_parallel = reader.find_whole("max_parallel", 1, 10'000).value_or(step.max_parallel);
  const auto* items = reader.find("for_each");
  if (items == nullptr) return;
  step.for_each = Template::parse(*items, pointer + "/for_each", reading.issues);
  const bool may_be_list = !step.for_each->is_constant() || step.for_each->constant().is_array();
  if (!may_be_list ||
      (items->is_string() && step.for_each->as_expression() == nullptr && !step.for_each->is_constant())) {
    reader.report("for_each", codes::field_type.id,
                  "\"for_each\" must be a list or one expression that gives a list");
  }
  if (step.type != nullptr && !step.ports.empty()) {
    reader.report(
        "for_each", codes::step_for_each.id,
        fmt::format("a {} step has several ways out, so it can not run once per item", step.type->type));
  }
}

void read_step(Reading& reading, const Json& json, const std::string& pointer) {
  Step step;
  step.index = static_cast<StepIndex>(reading.workflow.steps.size());
  ObjectReader reader(json, pointer, reading.issues);
  reader.require("id");
  step.id = reader.get_text("id", "");
  if (const auto* id = json_find(json, "id"); id && id->is_string() && !is_step_id(step.id)) {
    reader.report(
        "id", codes::step_id.id,
        fmt::format("{} is no step id: use a-z, 0-9 and _, start with a letter, at most 63", quote(step.id)));
  }
  step.name = reader.get_text("name", step.id);
  if (step.name.size() > 200) reader.report("name", codes::field_range.id, "a name has at most 200 bytes");
  reader.find_text("description");
  read_type(reading, reader, step, pointer);
  read_for_each(reading, reader, step, pointer);
  step.join = static_cast<Join>(reader.get_choice("join", {"default", "all", "any", "always"}, 0));
  step.on_error = static_cast<OnError>(reader.get_choice("on_error", {"fail", "continue"}, 0));
  if (const auto* retry = reader.find_object("retry_config"))
    step.retry = read_retry_policy(*retry, pointer + "/retry_config", reading.issues);
  else if (step.type != nullptr && step.type->default_retry)
    step.retry = *step.type->default_retry;
  if (step.type != nullptr && step.type->default_timeout) step.timeout = *step.type->default_timeout;
  step.timeout = reader.find_seconds("timeout_seconds", 0.001, kLongestSeconds).value_or(step.timeout);
  step.disabled = reader.get_bool("disabled", false);
  reader.find("depends_on");
  reader.find_text("compensate");
  reader.finish();
  if (!step.id.empty() && !reading.workflow.by_id.emplace(step.id, step.index).second) {
    reader.report("id", codes::workflow_duplicate_id.id,
                  fmt::format("the step id {} is taken", quote(step.id)));
  }
  reading.workflow.steps.push_back(std::move(step));
}

}  // namespace

void read_steps(Reading& reading, const Json& document) {
  const auto* steps = json_find(document, "steps");
  if (steps == nullptr || !steps->is_array()) return;
  const auto& list = steps->get_array();
  if (list.empty())
    reading.issues.push_back({"/steps", codes::field_range.id, "a workflow needs at least one step"});
  if (list.size() > reading.limits.max_steps) {
    reading.issues.push_back(
        {"/steps", codes::workflow_too_large.id,
         fmt::format("{} steps; a workflow has at most {}", list.size(), reading.limits.max_steps)});
    return;
  }
  reading.workflow.steps.reserve(list.size());
  for (const auto& step : list)
    read_step(reading, step, fmt::format("/steps/{}", reading.workflow.steps.size()));
}

bool matches_code(std::string_view pattern, std::string_view code) {
  if (pattern == code || pattern == "*") return true;
  if (pattern.ends_with(".*")) return code.starts_with(pattern.substr(0, pattern.size() - 1));
  if (pattern.size() == code.size() && pattern.ends_with("xx")) {
    return code.starts_with(pattern.substr(0, pattern.size() - 2)) &&
           std::isdigit(static_cast<unsigned char>(code.back())) != 0;
  }
  return false;
}

}  // namespace fp::model

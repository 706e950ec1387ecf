#include "support/scenario.hpp"

#include "engine/steps/step.hpp"
#include "sandbox/sandboxed_evaluator.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace fp::tests {

const model::TaskTypeRegistry& scenario_types() {
  static const model::TaskTypeRegistry types = [] {
    model::TaskTypeRegistry out;
    engine::register_engine_steps(out);
    model::TaskTypeSpec work;
    work.type = "work";
    work.config_schema = Json(true);
    out.add(std::move(work));
    return out;
  }();
  return types;
}

ports::ExpressionEvaluator& shared_evaluator() {
  static sandbox::SandboxedEvaluator evaluator;
  return evaluator;
}

const Behaviour& Scenario::behaviour(const std::string& step, std::optional<std::uint32_t> item,
                                     std::uint32_t attempt) const {
  static const Behaviour kDefault;
  auto found = item ? workers.find(fmt::format("{}[{}]", step, *item)) : workers.end();
  if (found == workers.end()) found = workers.find(step);
  if (found == workers.end() || found->second.empty()) return kDefault;
  return found->second[std::min<std::size_t>(attempt, found->second.size()) - 1];
}

namespace {

Milliseconds read_seconds(const Json& json) {
  return Milliseconds(static_cast<std::int64_t>(json.to_number<double>() * 1000));
}

Behaviour read_behaviour(const Json& json) {
  Behaviour out;
  if (const auto* takes = json_find(json, "takes")) out.takes = read_seconds(*takes);
  if (const auto* output = json_find(json, "output")) out.output = *output;
  if (const auto* error = json_find(json, "error")) out.error = error_from_json(*error);
  if (const auto* lost = json_find(json, "lost")) out.lost = lost->as_bool();
  if (const auto* hangs = json_find(json, "hangs")) out.hangs = hangs->as_bool();
  return out;
}

Action read_action(const Json& json) {
  Action out;
  for (const auto& member : json.as_object()) {
    if (member.key() == "at")
      out.at = read_seconds(member.value());
    else
      out.verb = member.key(), out.argument = member.value();
  }
  return out;
}

std::shared_ptr<const model::Workflow> read_definition(const Json& json,
                                                       const model::TaskTypeRegistry& types) {
  auto read = model::read_workflow(json, types);
  if (read) return *read;
  ADD_FAILURE() << read.error().message;
  for (const auto& issue : read.error().issues) ADD_FAILURE() << issue.pointer << ": " << issue.message;
  return nullptr;
}

}  // namespace

std::optional<Scenario> load_scenario(const std::filesystem::path& file,
                                      const model::TaskTypeRegistry& types) {
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  auto document = model::parse_document(text.str());
  if (!document) {
    ADD_FAILURE() << file << ": " << document.error().message;
    return std::nullopt;
  }
  Scenario out;
  out.title = json_string(*document, "scenario");
  const auto* definition = json_find(*document, "workflow");
  if (out.title.empty() || definition == nullptr) {
    ADD_FAILURE() << file << ": a scenario has the fields scenario, workflow and history";
    return std::nullopt;
  }
  out.workflow = read_definition(*definition, types);
  if (!out.workflow) return std::nullopt;
  if (const auto* children = json_find(*document, "children")) {
    for (const auto& child : children->as_array()) out.children.push_back(read_definition(child, types));
  }
  if (const auto* input = json_find(*document, "input")) out.input = *input;
  if (const auto* vars = json_find(*document, "vars")) out.vars = *vars;
  if (const auto* partial = json_find(*document, "partial")) out.partial = *partial;
  if (const auto* pins = json_find(*document, "pins")) out.pins = *pins;
  if (const auto* earlier = json_find(*document, "earlier")) out.earlier = *earlier;
  if (const auto* workers = json_find(*document, "workers")) {
    for (const auto& member : workers->as_object()) {
      for (const auto& entry : member.value().as_array())
        out.workers[std::string(member.key())].push_back(read_behaviour(entry));
    }
  }
  if (const auto* actions = json_find(*document, "do")) {
    for (const auto& action : actions->as_array()) out.actions.push_back(read_action(action));
  }
  out.history = json_string(*document, "history");
  return out;
}

}  // namespace fp::tests

#include "base/error_code.hpp"
#include "model/reading.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace fp::model {

namespace {

std::vector<std::string> list_ids(const Workflow& workflow) {
  std::vector<std::string> ids;
  for (const auto& step : workflow.steps) ids.push_back(step.id);
  return ids;
}

/// YAML's bare `true` and numbers are read as their text.
std::optional<std::string> read_when(const Json& json) {
  if (json.is_string()) return std::string(json.get_string());
  if (json.is_bool() || json.is_number()) return to_text(json);
  return std::nullopt;
}

class EdgeReader {
 public:
  explicit EdgeReader(Reading& reading) : reading_(reading), ids_(list_ids(reading.workflow)) {}

  void read(const Json& json, StepIndex target) {
    const auto* list = json_find(json, "depends_on");
    if (list == nullptr) return;
    const auto pointer = fmt::format("/steps/{}/depends_on", target);
    if (list->is_string()) return add_edge(*list, target, pointer);  // a single id without the brackets
    if (!list->is_array())
      return report(pointer, codes::field_type.id, "\"depends_on\" must be a list of step ids");
    std::set<std::pair<StepIndex, std::string>> seen;
    for (std::size_t i = 0; i < list->get_array().size(); ++i) {
      const auto before = reading_.workflow.edges.size();
      add_edge(list->get_array()[i], target, fmt::format("{}/{}", pointer, i));
      if (reading_.workflow.edges.size() == before) continue;
      const auto& edge = reading_.workflow.edges.back();
      if (!seen.emplace(edge.source, edge.when).second) {
        report(fmt::format("{}/{}", pointer, i), codes::workflow_edge.id, "this dependency is listed twice");
      }
    }
  }

 private:
  void report(const std::string& pointer, std::string_view code, std::string message) {
    reading_.issues.push_back({pointer, std::string(code), std::move(message)});
  }

  void add_edge(const Json& json, StepIndex target, const std::string& pointer) {
    Edge edge;
    edge.target = target;
    std::string source;
    if (json.is_string()) {
      source = json.get_string();
    } else if (json.is_object()) {
      ObjectReader reader(json, pointer, reading_.issues);
      reader.require("step");
      source = reader.get_text("step", "");
      if (const auto* when = reader.find("when")) {
        const auto text = read_when(*when);
        if (text && !text->empty())
          edge.when = *text;
        else
          reader.report("when", codes::field_type.id, "\"when\" must be the name of a way out of that step");
      }
      reader.finish();
      if (source.empty()) return;
    } else {
      return report(pointer, codes::field_type.id, "a dependency is a step id or {step, when}");
    }
    connect(std::move(edge), source, pointer);
  }

  void connect(Edge edge, const std::string& source, const std::string& pointer) {
    auto& workflow = reading_.workflow;
    const auto found = workflow.by_id.find(source);
    if (found == workflow.by_id.end()) {
      return report(pointer, codes::workflow_edge.id,
                    fmt::format("there is no step {}{}", quote(source), suggest(source, ids_)));
    }
    edge.source = found->second;
    if (edge.source == edge.target)
      return report(pointer, codes::workflow_cycle.id,
                    fmt::format("the step {} depends on itself", quote(source)));
    const auto& from = workflow.steps[edge.source];
    const bool known_port = edge.when.empty() || edge.is_error() || from.type == nullptr ||
                            std::find(from.ports.begin(), from.ports.end(), edge.when) != from.ports.end();
    if (!known_port) {
      auto ports = from.ports;
      ports.emplace_back("error");
      return report(pointer, codes::workflow_edge.id,
                    fmt::format("the step {} has no way out {}; it has {}", quote(source), quote(edge.when),
                                fmt::join(ports, ", ")));
    }
    const auto position = static_cast<std::uint32_t>(workflow.edges.size());
    workflow.steps[edge.source].outgoing.push_back(position);
    workflow.steps[edge.source].has_error_edge |= edge.is_error();
    workflow.steps[edge.target].incoming.push_back(position);
    workflow.edges.push_back(std::move(edge));
  }

  Reading& reading_;
  std::vector<std::string> ids_;
};

void read_compensation(Reading& reading, const Json& json, StepIndex index) {
  const auto id = json_string(json, "compensate");
  if (id.empty()) return;
  auto& workflow = reading.workflow;
  const auto pointer = fmt::format("/steps/{}/compensate", index);
  const auto found = workflow.by_id.find(id);
  if (found == workflow.by_id.end()) {
    reading.issues.push_back(
        {pointer, codes::workflow_edge.id,
         fmt::format("there is no step {}{}", quote(id), suggest(id, list_ids(workflow)))});
    return;
  }
  auto& undo = workflow.steps[found->second];
  const bool connected = !undo.incoming.empty() || !undo.outgoing.empty();
  const auto report = [&](std::string message) {
    reading.issues.push_back({pointer, codes::workflow_compensation.id, std::move(message)});
  };
  if (found->second == index) return report("a step can not undo itself");
  if (connected)
    return report(fmt::format(
        "the step {} undoes another one, so nothing may depend on it nor it on anything", quote(id)));
  if (undo.is_compensation) return report(fmt::format("the step {} already undoes another step", quote(id)));
  if (undo.for_each || !undo.ports.empty())
    return report(fmt::format("the step {} can not undo: it runs once per item or branches", quote(id)));
  undo.is_compensation = true;
  workflow.steps[index].compensate = found->second;
}

/// Kahn's algorithm; what is left over lies on or behind a cycle, and walking back along leftovers finds one.
void check_cycles(Reading& reading) {
  const auto& workflow = reading.workflow;
  std::vector<std::size_t> waiting(workflow.steps.size());
  std::vector<StepIndex> ready;
  for (const auto& step : workflow.steps) {
    waiting[step.index] = step.incoming.size();
    if (step.incoming.empty()) ready.push_back(step.index);
  }
  std::size_t done = 0;
  while (!ready.empty()) {
    const auto at = ready.back();
    ready.pop_back();
    ++done;
    for (const auto edge : workflow.steps[at].outgoing) {
      if (--waiting[workflow.edges[edge].target] == 0) ready.push_back(workflow.edges[edge].target);
    }
  }
  if (done == workflow.steps.size()) return;
  auto at = static_cast<StepIndex>(
      std::find_if(waiting.begin(), waiting.end(), [](std::size_t n) { return n > 0; }) - waiting.begin());
  std::vector<StepIndex> trail;
  while (std::find(trail.begin(), trail.end(), at) == trail.end()) {
    trail.push_back(at);
    for (const auto edge : workflow.steps[at].incoming) {
      if (waiting[workflow.edges[edge].source] == 0) continue;
      at = workflow.edges[edge].source;
      break;
    }
  }
  std::string names = workflow.steps[at].id;
  const auto start = std::find(trail.begin(), trail.end(), at);
  for (auto step = trail.end(); step != start;) names += " -> " + workflow.steps[*--step].id;
  reading.issues.push_back({fmt::format("/steps/{}/depends_on", at), codes::workflow_cycle.id,
                            fmt::format("these steps wait for each other in a circle: {}", names)});
}

}  // namespace

void read_edges(Reading& reading, const Json& document) {
  if (reading.workflow.steps.empty()) return;
  const auto& list = document.get_object().at("steps").get_array();
  EdgeReader edges(reading);
  for (StepIndex i = 0; i < reading.workflow.steps.size(); ++i) edges.read(list[i], i);
  for (StepIndex i = 0; i < reading.workflow.steps.size(); ++i) read_compensation(reading, list[i], i);
  check_cycles(reading);
}

}  // namespace fp::model

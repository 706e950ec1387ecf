#include "triggers/event_trigger.hpp"

namespace fp::triggers {

namespace {

EventTrigger read(const Json& trigger, const Json& document) {
  EventTrigger out;
  out.id = json_string(trigger, "id");
  const auto& config = trigger.at("trigger_config");
  out.name = json_string(config, "name");
  if (const auto* filter = json_find(config, "filter")) {
    std::vector<Issue> issues;  // none: it was checked when it was published
    out.filter = model::Template::parse(*filter, "", issues);
  }
  const auto input = json_string(config, "input");
  const auto* schema = json_find(document, "inputs");
  out.gives_data = input == "data" || (input.empty() && schema != nullptr && schema->is_object());
  return out;
}

}  // namespace

std::vector<EventTrigger> read_event_triggers(const Json& document) {
  std::vector<EventTrigger> out;
  const auto* triggers = json_find(document, "triggers");
  if (triggers == nullptr || !triggers->is_array()) return out;
  for (const auto& trigger : triggers->get_array()) {
    const auto* enabled = json_find(trigger, "enabled");
    const bool is_on = enabled == nullptr || !enabled->is_bool() || enabled->get_bool();
    if (is_on && json_string(trigger, "trigger_type") == "event") out.push_back(read(trigger, document));
  }
  return out;
}

bool matches_event(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with(".*")) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace fp::triggers

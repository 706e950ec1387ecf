#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

namespace fp::engine {

EngineStep make_wait_event_step() {
  EngineStep out;
  out.spec.type = "wait_event";
  out.spec.title = "Wait for event";
  out.spec.category = "flow";
  out.spec.icon = "ear";
  out.spec.description = "Waits until an event is published; the event is the output.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["name"],
    "properties": {
      "name": {"type": "string", "minLength": 1, "maxLength": 128, "not": {"pattern": "^(execution|step)\\."},
        "description": "Of the event, such as order.paid; to wait for another execution, run it as a step"},
      "key": {"type": ["string", "number"], "description": "Only an event with this key; left out: with any"},
      "since": {"type": "string", "enum": ["start", "now"], "default": "start",
        "description": "Does an event count that came before this step, while the execution was under way?"},
      "timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 316224000}}
  })");
  out.spec.output_schema = parse_trusted_json(
      R"({"type": "object", "properties": {"name": {"type": "string"}, "key": {"type": "string"}, "data": {}, "source": {"type": "object"}, "id": {"type": "string"}, "at": {"type": "string"}}})");
  out.spec.decided_in_engine = true;
  out.spec.ports = {"timeout"};
  out.decide = [](const StepContext& context) -> StepOutcome {
    const auto* key = json_find(context.config, "key");
    JsonObject data{{"key", key == nullptr ? "" : to_display_text(*key)}};
    if (json_string(context.config, "since") == "now") data["since"] = to_rfc3339(context.now);
    return StepWait{model::WaitKind::event, wait_limit(context), json_string(context.config, "name"),
                    std::move(data)};
  };
  return out;
}

}  // namespace fp::engine

#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

namespace fp::engine {

EngineStep make_switch_step() {
  EngineStep out;
  out.spec.type = "switch";
  out.spec.title = "Switch";
  out.spec.category = "flow";
  out.spec.icon = "route";
  out.spec.description = "Takes the way of the first case that fits, or the default.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["cases"],
    "properties": {
      "value": {"description": "What the cases compare with"},
      "cases": {"type": "array", "minItems": 1, "maxItems": 50, "items": {
        "type": "object", "additionalProperties": false, "required": ["name"],
        "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 64}, "equals": {}, "when": {"description": "A condition of its own"}},
        "oneOf": [{"required": ["equals"]}, {"required": ["when"]}]
      }}
    }
  })");
  out.spec.output_schema =
      parse_trusted_json(R"({"type": "object", "properties": {"case": {"type": "string"}}})");
  out.spec.decided_in_engine = true;
  out.spec.dynamic_ports = true;
  out.decide = [](const StepContext& context) -> StepOutcome {
    const auto* value = json_find(context.config, "value");
    for (const auto& entry : context.config.at("cases").as_array()) {
      const auto* equals = json_find(entry, "equals");
      const auto* when = json_find(entry, "when");
      const bool fits =
          equals != nullptr ? value != nullptr && same_scalar(*value, *equals) : is_truthy(*when);
      if (fits) return StepDone{JsonObject{{"case", entry.at("name")}}, json_string(entry, "name")};
    }
    return StepDone{JsonObject{{"case", "default"}}, "default"};
  };
  return out;
}

}  // namespace fp::engine

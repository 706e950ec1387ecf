#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

namespace fp::engine {

EngineStep make_conditional_step() {
  EngineStep out;
  out.spec.type = "conditional";
  out.spec.title = "If";
  out.spec.category = "flow";
  out.spec.icon = "split";
  out.spec.description = "Goes one way when the condition holds and another way when it does not.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["condition"],
    "properties": {"condition": {"description": "An expression; JavaScript's truth decides: false, 0, empty text and null are false"}}
  })");
  out.spec.output_schema =
      parse_trusted_json(R"({"type": "object", "properties": {"result": {"type": "boolean"}}})");
  out.spec.decided_in_engine = true;
  out.spec.ports = {"true", "false"};
  out.decide = [](const StepContext& context) -> StepOutcome {
    const bool result = is_truthy(context.config.at("condition"));
    return StepDone{JsonObject{{"result", result}}, result ? "true" : "false"};
  };
  return out;
}

}  // namespace fp::engine

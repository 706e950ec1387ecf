#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"

namespace fp::engine {

EngineStep make_set_step() {
  EngineStep out;
  out.spec.type = "set";
  out.spec.title = "Set values";
  out.spec.category = "data";
  out.spec.icon = "pencil";
  out.spec.description = "Makes an object from fixed values and expressions.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["values"],
    "properties": {"values": {"description": "What the step gives: any JSON, with expressions in it"}}
  })");
  out.spec.output_schema = parse_trusted_json(R"(null)");
  out.spec.decided_in_engine = true;
  out.decide = [](const StepContext& context) -> StepOutcome {
    return StepDone{context.config.at("values"), ""};
  };
  return out;
}

}  // namespace fp::engine

#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"

namespace fp::engine {

EngineStep make_workflow_step() {
  EngineStep out;
  out.spec.type = "workflow";
  out.spec.title = "Run workflow";
  out.spec.category = "flow";
  out.spec.icon = "workflow";
  out.spec.description = "Runs another workflow and gives its output.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["workflow"],
    "properties": {"workflow": {"type": "string", "minLength": 1, "description": "Its name or id"},
      "version": {"type": ["string", "integer"], "description": "Left out: the newest"},
      "input": {"description": "The child's input"}, "wait": {"type": "boolean", "default": true}}
  })");
  out.spec.output_schema = parse_trusted_json(R"(null)");
  out.spec.decided_in_engine = true;
  out.decide = [](const StepContext& context) -> StepOutcome {
    const auto* input = json_find(context.config, "input");
    const auto* wait = json_find(context.config, "wait");
    return StepChild{json_string(context.config, "workflow"), input == nullptr ? Json(JsonObject()) : *input,
                     wait == nullptr || wait->as_bool()};
  };
  return out;
}

}  // namespace fp::engine

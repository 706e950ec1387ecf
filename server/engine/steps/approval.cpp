#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

namespace fp::engine {

EngineStep make_approval_step() {
  EngineStep out;
  out.spec.type = "approval";
  out.spec.title = "Approval";
  out.spec.category = "human";
  out.spec.icon = "user-check";
  out.spec.description = "Waits until a person approves or rejects.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["title"],
    "properties": {"title": {"type": "string"}, "text": {"type": "string"}, "form": {"type": "object", "description": "JSON Schema of what the person fills in"},
      "approvers": {"type": "array", "items": {"type": "string"}}, "timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 316224000}}
  })");
  out.spec.output_schema = parse_trusted_json(
      R"({"type": "object", "properties": {"approved": {"type": "boolean"}, "by": {"type": "string"}, "comment": {"type": "string"}, "data": {}}})");
  out.spec.decided_in_engine = true;
  out.spec.ports = {"approved", "rejected", "timeout"};
  out.decide = [](const StepContext& context) -> StepOutcome {
    return StepWait{model::WaitKind::approval, wait_limit(context), "", context.config};
  };
  return out;
}

}  // namespace fp::engine

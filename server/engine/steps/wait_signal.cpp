#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

namespace fp::engine {

EngineStep make_wait_signal_step() {
  EngineStep out;
  out.spec.type = "wait_signal";
  out.spec.title = "Wait for signal";
  out.spec.category = "flow";
  out.spec.icon = "bell";
  out.spec.description = "Waits until somebody sends the signal; its payload is the output.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["name"],
    "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 128},
      "timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 316224000}}
  })");
  out.spec.output_schema = parse_trusted_json(R"(null)");
  out.spec.decided_in_engine = true;
  out.spec.ports = {"timeout"};
  out.decide = [](const StepContext& context) -> StepOutcome {
    return StepWait{model::WaitKind::signal, wait_limit(context), json_string(context.config, "name"),
                    nullptr};
  };
  return out;
}

}  // namespace fp::engine

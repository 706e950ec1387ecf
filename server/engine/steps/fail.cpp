#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"

namespace fp::engine {

EngineStep make_fail_step() {
  EngineStep out;
  out.spec.type = "fail";
  out.spec.title = "Fail";
  out.spec.category = "flow";
  out.spec.icon = "octagon-x";
  out.spec.description = "Fails with a message and code of your own.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["message"],
    "properties": {"message": {"type": "string"}, "code": {"type": "string", "pattern": "^[a-z][a-z0-9_.]{0,63}$"}, "retryable": {"type": "boolean", "default": false}}
  })");
  out.spec.output_schema = parse_trusted_json(R"(null)");
  out.spec.decided_in_engine = true;
  out.decide = [](const StepContext& context) -> StepOutcome {
    const auto* retryable = json_find(context.config, "retryable");
    const auto code = json_string(context.config, "code");
    return Error(code.empty() ? codes::step_failed.id : code, json_string(context.config, "message"),
                 retryable != nullptr && retryable->as_bool());
  };
  return out;
}

}  // namespace fp::engine

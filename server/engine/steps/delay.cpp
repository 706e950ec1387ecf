#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"

namespace fp::engine {

EngineStep make_delay_step() {
  EngineStep out;
  out.spec.type = "delay";
  out.spec.title = "Delay";
  out.spec.category = "flow";
  out.spec.icon = "clock";
  out.spec.description =
      "Waits for a time span or until a moment; survives restarts and costs nothing meanwhile.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false,
    "properties": {"seconds": {"type": "number", "minimum": 0, "maximum": 316224000}, "until": {"type": "string", "description": "RFC 3339 time"}},
    "oneOf": [{"required": ["seconds"]}, {"required": ["until"]}]
  })");
  out.spec.output_schema =
      parse_trusted_json(R"({"type": "object", "properties": {"waited": {"type": "number"}}})");
  out.spec.decided_in_engine = true;
  out.decide = [](const StepContext& context) -> StepOutcome {
    if (const auto* seconds = json_find(context.config, "seconds")) {
      return StepWait{
          model::WaitKind::delay,
          context.now + Milliseconds(static_cast<std::int64_t>(seconds->to_number<double>() * 1000)), "",
          nullptr};
    }
    const auto until = parse_rfc3339(json_string(context.config, "until"));
    if (!until) return until.error();
    return StepWait{model::WaitKind::delay, *until, "", nullptr};
  };
  return out;
}

}  // namespace fp::engine

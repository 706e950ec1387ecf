#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"

namespace fp::engine {

EngineStep make_respond_step() {
  EngineStep out;
  out.spec.type = "respond";
  out.spec.title = "Respond";
  out.spec.category = "flow";
  out.spec.icon = "reply";
  out.spec.description = "Answers the request that started the execution; the execution goes on.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false,
    "properties": {
      "status": {"type": "integer", "minimum": 200, "maximum": 599, "default": 200},
      "headers": {"type": "object", "maxProperties": 50, "description": "Names and values; those of the connection itself are refused",
                  "propertyNames": {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$",
                    "not": {"pattern": "^(?i)(connection|content-length|transfer-encoding|keep-alive|upgrade|te|trailer|date|server|set-cookie|content-security-policy|x-content-type-options)$"}},
                  "additionalProperties": {"type": ["string", "number", "boolean"], "maxLength": 4000, "pattern": "^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$"}},
      "body": {"description": "A text is sent as it is, anything else as JSON"}
    }
  })");
  out.spec.output_schema = parse_trusted_json(
      R"({"type": "object", "properties": {"status": {"type": "integer"}, "headers": {"type": "object"}, "body": {}}})");
  out.spec.decided_in_engine = true;
  out.decide = [](const StepContext& context) -> StepOutcome {
    const auto* headers = json_find(context.config, "headers");
    const auto* body = json_find(context.config, "body");
    return StepDone{JsonObject{{"status", json_int(context.config, "status").value_or(200)},
                               {"headers", headers == nullptr ? Json(JsonObject()) : *headers},
                               {"body", body == nullptr ? Json(nullptr) : *body}},
                    ""};
  };
  return out;
}

}  // namespace fp::engine

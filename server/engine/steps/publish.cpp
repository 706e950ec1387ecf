#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"

#include <fmt/format.h>

namespace fp::engine {

namespace {
constexpr std::size_t kMostDataBytes = 256u << 10;  // as of an event that comes over the API
}

EngineStep make_publish_step() {
  EngineStep out;
  out.spec.type = "publish";
  out.spec.title = "Publish event";
  out.spec.category = "flow";
  out.spec.icon = "megaphone";
  out.spec.description = "Says that something happened: starts the workflows that subscribe to it.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["name"],
    "properties": {
      "name": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$",
        "not": {"pattern": "^(execution|step)\\."},
        "description": "Words with dots between them, such as order.paid; execution.* and step.* are FlowPilot's own"},
      "data": {"description": "What those who subscribe get"},
      "key": {"type": ["string", "number"], "description": "What steps that wait for the event compare, such as the order's number"}}
  })");
  out.spec.output_schema = parse_trusted_json(
      R"({"type": "object", "properties": {"event_id": {"type": "string"}, "name": {"type": "string"}, "key": {"type": "string"}}})");
  out.spec.decided_in_engine = true;
  out.decide = [](const StepContext& context) -> StepOutcome {
    const auto* key = json_find(context.config, "key");
    const auto* data = json_find(context.config, "data");
    StepPublish event{json_string(context.config, "name"), key == nullptr ? "" : to_display_text(*key),
                      data == nullptr ? Json(nullptr) : *data};
    const auto bytes = to_text(event.data).size();
    if (bytes > kMostDataBytes)
      return Error(codes::event_too_large, fmt::format("the data of an event has at most {} KiB, this has {}",
                                                       kMostDataBytes >> 10, bytes >> 10));
    return event;
  };
  return out;
}

}  // namespace fp::engine

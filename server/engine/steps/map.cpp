#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

namespace fp::engine {

EngineStep make_map_step() {
  EngineStep out;
  out.spec.type = "map";
  out.spec.title = "Map";
  out.spec.category = "data";
  out.spec.icon = "arrows";
  out.spec.description = "Makes a new value from each item.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["items", "value"],
    "properties": {"items": {"type": "array", "description": "The list"}, "value": {"description": "The new item: any JSON with expressions on `item` and `index`"}}
  })");
  out.spec.output_schema = parse_trusted_json(R"({"type": "array"})");
  out.spec.decided_in_engine = true;
  out.spec.per_item = {"value"};
  out.decide = [](const StepContext& context) -> StepOutcome {
    JsonArray made;
    for (const auto& value : context.per_item.at("value")) {
      if (!value) return item_error(value.error(), made.size());
      made.push_back(*value);
    }
    return StepDone{std::move(made), ""};
  };
  return out;
}

}  // namespace fp::engine

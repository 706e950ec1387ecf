#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

namespace fp::engine {

EngineStep make_filter_step() {
  EngineStep out;
  out.spec.type = "filter";
  out.spec.title = "Filter";
  out.spec.category = "data";
  out.spec.icon = "filter";
  out.spec.description = "Keeps the items for which the condition holds.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["items", "where"],
    "properties": {"items": {"type": "array", "description": "The list"}, "where": {"description": "A condition on `item` and `index`"}}
  })");
  out.spec.output_schema = parse_trusted_json(R"({"type": "array"})");
  out.spec.decided_in_engine = true;
  out.spec.per_item = {"where"};
  out.decide = [](const StepContext& context) -> StepOutcome {
    JsonArray kept;
    const auto& items = context.config.at("items").as_array();
    const auto& where = context.per_item.at("where");
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!where[i]) return item_error(where[i].error(), i);
      if (is_truthy(*where[i])) kept.push_back(items[i]);
    }
    return StepDone{std::move(kept), ""};
  };
  return out;
}

}  // namespace fp::engine

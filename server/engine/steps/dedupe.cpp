#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

#include <set>

namespace fp::engine {

EngineStep make_dedupe_step() {
  EngineStep out;
  out.spec.type = "dedupe";
  out.spec.title = "Remove duplicates";
  out.spec.category = "data";
  out.spec.icon = "copy-x";
  out.spec.description = "Keeps the first of the items that are the same.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["items"],
    "properties": {"items": {"type": "array", "description": "The list"}, "by": {"description": "What makes two items the same, an expression on `item`; the whole item when left out"}}
  })");
  out.spec.output_schema = parse_trusted_json(R"({"type": "array"})");
  out.spec.decided_in_engine = true;
  out.spec.per_item = {"by"};
  out.decide = [](const StepContext& context) -> StepOutcome {
    const auto& items = context.config.at("items").as_array();
    auto keys = item_keys(context, "by");
    if (!keys) return keys.error();
    std::set<std::string> seen;
    JsonArray kept;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (seen.insert(canonical_text((*keys)[i])).second) kept.push_back(items[i]);
    }
    return StepDone{std::move(kept), ""};
  };
  return out;
}

}  // namespace fp::engine

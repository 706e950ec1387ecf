#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

#include <algorithm>
#include <numeric>

namespace fp::engine {

EngineStep make_sort_step() {
  EngineStep out;
  out.spec.type = "sort";
  out.spec.title = "Sort";
  out.spec.category = "data";
  out.spec.icon = "sort";
  out.spec.description = "Puts the items in order; equal ones keep theirs.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["items"],
    "properties": {"items": {"type": "array", "description": "The list"}, "by": {"description": "What to compare, an expression on `item`; the item itself when left out"},
      "order": {"enum": ["ascending", "descending"], "default": "ascending"}}
  })");
  out.spec.output_schema = parse_trusted_json(R"({"type": "array"})");
  out.spec.decided_in_engine = true;
  out.spec.per_item = {"by"};
  out.decide = [](const StepContext& context) -> StepOutcome {
    const auto& items = context.config.at("items").as_array();
    auto keys = item_keys(context, "by");
    if (!keys) return keys.error();
    std::vector<std::size_t> order(items.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const bool descending = json_string(context.config, "order") == "descending";
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const int compared = compare_values((*keys)[a], (*keys)[b]);
      if (compared == 0) return a < b;
      return descending ? compared > 0 : compared < 0;
    });
    JsonArray sorted;
    for (const auto i : order) sorted.push_back(items[i]);
    return StepDone{std::move(sorted), ""};
  };
  return out;
}

}  // namespace fp::engine

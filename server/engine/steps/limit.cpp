#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"

#include <algorithm>

namespace fp::engine {

EngineStep make_limit_step() {
  EngineStep out;
  out.spec.type = "limit";
  out.spec.title = "Limit";
  out.spec.category = "data";
  out.spec.icon = "scissors";
  out.spec.description = "Keeps at most so many items, from the start or the end.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["items", "count"],
    "properties": {"items": {"type": "array", "description": "The list"}, "count": {"type": "integer", "minimum": 0},
      "offset": {"type": "integer", "minimum": 0, "description": "Items to leave out first"},
      "from": {"enum": ["start", "end"], "default": "start"}}
  })");
  out.spec.output_schema = parse_trusted_json(R"({"type": "array"})");
  out.spec.decided_in_engine = true;
  out.decide = [](const StepContext& context) -> StepOutcome {
    const auto& items = context.config.at("items").as_array();
    const auto offset =
        std::min(items.size(), static_cast<std::size_t>(json_int(context.config, "offset").value_or(0)));
    const auto count = std::min(items.size() - offset,
                                static_cast<std::size_t>(json_int(context.config, "count").value_or(0)));
    const bool from_end = json_string(context.config, "from") == "end";
    const auto first = from_end ? items.size() - offset - count : offset;
    return StepDone{JsonArray(items.begin() + static_cast<std::ptrdiff_t>(first),
                              items.begin() + static_cast<std::ptrdiff_t>(first + count)),
                    ""};
  };
  return out;
}

}  // namespace fp::engine

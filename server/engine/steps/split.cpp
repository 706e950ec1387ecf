#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"

namespace fp::engine {

EngineStep make_split_step() {
  EngineStep out;
  out.spec.type = "split";
  out.spec.title = "Split";
  out.spec.category = "data";
  out.spec.icon = "rows";
  out.spec.description = "Cuts a list into batches, or a text into a list.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["items"],
    "properties": {"items": {"type": ["array", "string"], "description": "The list or the text"},
      "size": {"type": "integer", "minimum": 1, "description": "Items in a batch"},
      "separator": {"type": "string", "minLength": 1, "description": "Where a text is cut; line breaks when left out"}}
  })");
  out.spec.output_schema = parse_trusted_json(R"({"type": "array"})");
  out.spec.decided_in_engine = true;
  out.decide = [](const StepContext& context) -> StepOutcome {
    JsonArray parts;
    const auto& items = context.config.at("items");
    if (const auto* text = items.if_string()) {
      const auto separator =
          context.config.as_object().contains("separator") ? json_string(context.config, "separator") : "\n";
      std::string_view rest{text->data(), text->size()};
      for (auto at = rest.find(separator); at != std::string_view::npos; at = rest.find(separator)) {
        parts.push_back(Json(rest.substr(0, at)));
        rest.remove_prefix(at + separator.size());
      }
      parts.push_back(Json(rest));
      return StepDone{std::move(parts), ""};
    }
    const auto size = static_cast<std::size_t>(json_int(context.config, "size").value_or(1));
    for (const auto& item : items.as_array()) {
      if (parts.empty() || parts.back().as_array().size() == size) parts.push_back(JsonArray());
      parts.back().as_array().push_back(item);
    }
    return StepDone{std::move(parts), ""};
  };
  return out;
}

}  // namespace fp::engine

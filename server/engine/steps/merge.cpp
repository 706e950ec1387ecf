#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

namespace fp::engine {

namespace {

/// Objects of the lists, joined side by side; later lists win where fields clash.
StepOutcome merge_rows(const JsonArray& lists,
                       const std::function<std::string(const Json&, std::size_t)>& key_of) {
  JsonArray rows;
  std::map<std::string, std::size_t> positions;
  for (const auto& list : lists) {
    std::size_t index = 0;
    for (const auto& item : list.as_array()) {
      const auto [found, is_new] = positions.emplace(key_of(item, index++), rows.size());
      if (is_new) {
        rows.push_back(item);
      } else if (item.is_object() && rows[found->second].is_object()) {
        for (const auto& member : item.get_object())
          rows[found->second].get_object().insert_or_assign(member.key(), member.value());
      } else {
        rows[found->second] = item;
      }
    }
  }
  return StepDone{std::move(rows), ""};
}

StepOutcome merge(const StepContext& context) {
  const auto& lists = context.config.at("items").as_array();
  const auto mode = json_string(context.config, "mode");
  if (mode == "position") {
    return merge_rows(lists, [](const Json&, std::size_t index) { return std::to_string(index); });
  }
  if (mode == "key") {
    const auto key = json_string(context.config, "key");
    return merge_rows(lists, [&](const Json& item, std::size_t) {
      const auto* found = json_find(item, key);
      return found == nullptr ? "?" + canonical_text(item) : "=" + canonical_text(*found);
    });
  }
  JsonArray all;
  for (const auto& list : lists) all.insert(all.end(), list.as_array().begin(), list.as_array().end());
  return StepDone{std::move(all), ""};
}

}  // namespace

EngineStep make_merge_step() {
  EngineStep out;
  out.spec.type = "merge";
  out.spec.title = "Merge";
  out.spec.category = "data";
  out.spec.icon = "merge";
  out.spec.description = "Joins several lists: one after another, side by side, or by a key.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["items"],
    "properties": {"items": {"type": "array", "items": {"type": "array"}, "description": "The lists"},
      "mode": {"enum": ["append", "position", "key"], "default": "append"},
      "key": {"type": "string", "description": "The field that makes two items one, for mode key"}},
    "if": {"properties": {"mode": {"const": "key"}}, "required": ["mode"]}, "then": {"required": ["key"]}
  })");
  out.spec.output_schema = parse_trusted_json(R"({"type": "array"})");
  out.spec.decided_in_engine = true;
  out.decide = merge;
  return out;
}

}  // namespace fp::engine

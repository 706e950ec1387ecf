#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "engine/steps/values.hpp"

#include <fmt/format.h>

namespace fp::engine {

namespace {

struct Group {
  Json key;
  std::vector<Json> values;
};

/// Sums and averages of what is no number are an error, not a guess.
Result<Json> reduce(const std::string& operation, const std::vector<Json>& values) {
  if (operation == "list") return Json(JsonArray(values.begin(), values.end()));
  if (operation == "count") return Json(values.size());
  if (values.empty()) return Json(nullptr);
  if (operation == "min" || operation == "max") {
    const Json* best = &values.front();
    for (const auto& value : values) {
      const int compared = compare_values(value, *best);
      if (operation == "min" ? compared < 0 : compared > 0) best = &value;
    }
    return *best;
  }
  double sum = 0;
  bool whole = true;
  std::int64_t exact = 0;
  for (const auto& value : values) {
    if (!value.is_number())
      return Error(codes::config_invalid,
                   fmt::format("{} needs numbers, but an item gave {}", operation, json_type_name(value)));
    sum += value.to_number<double>();
    whole = whole && value.is_int64() && !__builtin_add_overflow(exact, value.get_int64(), &exact);
  }
  if (operation == "average") return Json(sum / double(values.size()));
  return whole ? Json(exact) : Json(sum);
}

StepOutcome aggregate(const StepContext& context) {
  const auto& items = context.config.at("items").as_array();
  const bool grouped = context.per_item.contains("group_by");
  auto values = item_keys(context, "value");
  if (!values) return values.error();
  auto keys = item_keys(context, "group_by");
  if (!keys) return keys.error();
  const auto operation =
      context.config.as_object().contains("operation") ? json_string(context.config, "operation") : "list";
  std::vector<Group> groups;
  std::map<std::string, std::size_t> positions;
  if (!grouped) groups.push_back({nullptr, {}});
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::size_t at = 0;
    if (grouped) {
      at = positions.emplace(canonical_text((*keys)[i]), groups.size()).first->second;
      if (at == groups.size()) groups.push_back({(*keys)[i], {}});
    }
    groups[at].values.push_back((*values)[i]);
  }
  JsonArray out;
  for (const auto& group : groups) {
    auto reduced = reduce(operation, group.values);
    if (!reduced) return reduced.error();
    out.push_back(
        JsonObject{{"key", group.key}, {"count", group.values.size()}, {"value", std::move(*reduced)}});
  }
  return StepDone{std::move(out), ""};
}

}  // namespace

EngineStep make_aggregate_step() {
  EngineStep out;
  out.spec.type = "aggregate";
  out.spec.title = "Aggregate";
  out.spec.category = "data";
  out.spec.icon = "sigma";
  out.spec.description = "Groups the items and counts, sums, averages or lists each group.";
  out.spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["items"],
    "properties": {"items": {"type": "array", "description": "The list"}, "group_by": {"description": "The group of an item, an expression on `item`; one group when left out"},
      "value": {"description": "What is summed or listed, an expression on `item`; the item itself when left out"},
      "operation": {"enum": ["list", "count", "sum", "average", "min", "max"], "default": "list"}}
  })");
  out.spec.output_schema = parse_trusted_json(
      R"({"type": "array", "items": {"type": "object", "properties": {"key": {}, "count": {"type": "integer"}, "value": {}}}})");
  out.spec.decided_in_engine = true;
  out.spec.per_item = {"group_by", "value"};
  out.decide = aggregate;
  return out;
}

}  // namespace fp::engine

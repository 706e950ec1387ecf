#include "engine/steps/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fp::engine {

bool same_scalar(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return compare_values(a, b) == 0;
  return a == b;
}

namespace {
int rank(const Json& value) {
  if (value.is_number()) return 0;
  if (value.is_string()) return 1;
  if (value.is_bool()) return 2;
  return value.is_null() ? 4 : 3;
}
}  // namespace

int compare_values(const Json& a, const Json& b) {
  if (rank(a) != rank(b)) return rank(a) - rank(b);
  if (a.is_int64() && b.is_int64())
    return a.get_int64() < b.get_int64() ? -1 : a.get_int64() > b.get_int64() ? 1 : 0;
  if (a.is_number()) {
    const double x = a.to_number<double>();
    const double y = b.to_number<double>();
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (a.is_string()) return a.get_string().compare(b.get_string());
  if (a.is_bool()) return int(a.get_bool()) - int(b.get_bool());
  return canonical_text(a).compare(canonical_text(b));
}

std::string canonical_text(const Json& value) {
  if (const auto* array = value.if_array()) {
    std::string out = "[";
    for (const auto& item : *array) out += canonical_text(item) + ",";
    return out + "]";
  }
  if (const auto* object = value.if_object()) {
    std::vector<std::string> members;
    for (const auto& member : *object)
      members.push_back(to_text(Json(member.key())) + ":" + canonical_text(member.value()));
    std::sort(members.begin(), members.end());
    return fmt::format("{{{}}}", fmt::join(members, ","));
  }
  return to_text(value);
}

Result<std::vector<Json>> item_keys(const StepContext& context, const std::string& field) {
  const auto& items = context.config.at("items").as_array();
  const auto found = context.per_item.find(field);
  if (found == context.per_item.end()) return std::vector<Json>(items.begin(), items.end());
  std::vector<Json> keys;
  keys.reserve(items.size());
  for (const auto& result : found->second) {
    if (!result) return item_error(result.error(), keys.size());
    keys.push_back(*result);
  }
  return keys;
}

Error item_error(Error error, std::size_t index) {
  error.message = fmt::format("item {}: {}", index, error.message);
  return error;
}

std::optional<TimePoint> wait_limit(const StepContext& context) {
  const auto* seconds = json_find(context.config, "timeout_seconds");
  if (seconds == nullptr || !seconds->is_number()) return std::nullopt;
  return context.now + Milliseconds(static_cast<std::int64_t>(seconds->to_number<double>() * 1000));
}

}  // namespace fp::engine

#pragma once

#include "base/json.hpp"
#include "engine/steps/step.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fp::engine {

/// Equal as JSON, where 1 and 1.0 are the same number.
bool same_scalar(const Json& a, const Json& b);
/// Numbers before texts before everything else; null last. Negative, zero or positive.
int compare_values(const Json& a, const Json& b);
/// The same text for the same value: object keys in order.
std::string canonical_text(const Json& value);

/// The results of a per-item field; the items themselves when the step does not set it.
Result<std::vector<Json>> item_keys(const StepContext& context, const std::string& field);
/// The error of one item, saying which.
Error item_error(Error error, std::size_t index);
/// now + timeout_seconds, when set.
std::optional<TimePoint> wait_limit(const StepContext& context);

}  // namespace fp::engine

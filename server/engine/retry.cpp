#include "engine/retry.hpp"

#include "base/random.hpp"

#include <algorithm>
#include <cmath>

namespace fp::engine {

namespace {
constexpr Milliseconds kLongestRetryAfter = std::chrono::hours(24);
}

Milliseconds retry_delay(const model::RetryPolicy& policy, std::uint32_t failures, std::uint64_t random,
                         std::optional<Milliseconds> retry_after) {
  const double grown = double(policy.initial_delay.count()) * std::pow(policy.backoff, double(failures - 1));
  double delay = std::min(grown, double(policy.max_delay.count()));
  if (policy.jitter) delay *= 0.5 + 0.5 * (double(random >> 11) / double(1ULL << 53));
  auto out = Milliseconds(std::llround(delay));
  if (retry_after) out = std::max(out, std::min(*retry_after, kLongestRetryAfter));
  return out;
}

std::optional<TimePoint> next_attempt_at(const model::RetryPolicy& policy, const model::TaskState& task,
                                         const Error& error, std::uint64_t random, TimePoint now) {
  const auto failures = task.failures + 1;
  if (!error.retryable || failures >= policy.max_attempts) return std::nullopt;
  const bool excluded =
      std::any_of(policy.non_retryable.begin(), policy.non_retryable.end(),
                  [&](const std::string& pattern) { return model::matches_code(pattern, error.code); });
  if (excluded) return std::nullopt;
  const auto at = now + retry_delay(policy, failures, random, error.retry_after);
  if (policy.max_elapsed && task.first_attempt_at && at > *task.first_attempt_at + *policy.max_elapsed)
    return std::nullopt;
  return at;
}

std::uint64_t draw(std::uint64_t seed, model::TaskRef task, std::uint32_t attempt) {
  const auto where = std::uint64_t(task.step) << 32 | task.item;
  return split_mix(split_mix(seed ^ split_mix(where)) ^ attempt);
}

}  // namespace fp::engine

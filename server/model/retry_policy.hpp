#pragma once

#include "base/error.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fp::model {

struct RetryPolicy {
  std::uint32_t max_attempts = 1;
  Milliseconds initial_delay{1000};
  double backoff = 2.0;
  Milliseconds max_delay{60'000};
  bool jitter = true;
  std::optional<Milliseconds> max_elapsed;
  std::vector<std::string> non_retryable;  // codes; `http.4xx` stands for every http.400 ... http.499
  bool operator==(const RetryPolicy&) const = default;
};

/// A `retry_config` as documents have it; what is wrong with it goes to `issues`, with pointers below
/// `pointer`.
RetryPolicy read_retry_policy(const Json& json, const std::string& pointer, std::vector<Issue>& issues);

inline constexpr double kLongestSeconds = 10 * 366 * 86'400.0;  // of a time-out

}  // namespace fp::model

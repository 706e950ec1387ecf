#include "model/retry_policy.hpp"

#include "base/error_code.hpp"
#include "model/object_reader.hpp"

#include <algorithm>

namespace fp::model {

RetryPolicy read_retry_policy(const Json& json, const std::string& pointer, std::vector<Issue>& issues) {
  constexpr double kDaySeconds = 86'400;
  RetryPolicy retry;
  ObjectReader reader(json, pointer, issues);
  retry.max_attempts = reader.find_whole("max_attempts", 1, 1000).value_or(3);
  retry.initial_delay =
      reader.find_seconds("initial_delay_seconds", 0, kDaySeconds).value_or(retry.initial_delay);
  retry.backoff = reader.find_number("backoff", 1, 100).value_or(retry.backoff);
  retry.max_delay = reader.find_seconds("max_delay_seconds", 0, 30 * kDaySeconds)
                        .value_or(std::max(retry.max_delay, retry.initial_delay));
  retry.jitter = reader.get_bool("jitter", retry.jitter);
  retry.max_elapsed = reader.find_seconds("max_elapsed_seconds", 0.001, kLongestSeconds);
  if (const auto* codes_list = reader.find_array("non_retryable")) {
    for (const auto& code : *codes_list) {
      if (code.is_string())
        retry.non_retryable.emplace_back(code.get_string());
      else
        reader.report("non_retryable", codes::field_type.id,
                      "\"non_retryable\" must be a list of error codes");
    }
  }
  reader.finish();
  return retry;
}

}  // namespace fp::model

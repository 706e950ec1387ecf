#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/event.hpp"
#include "model/execution_state.hpp"
#include "model/workflow.hpp"

#include <cstdint>
#include <optional>

namespace fp::engine {

/// How long to wait after the `failures`-th failure (from 1): exponential backoff, capped, with jitter over
/// the upper half ("equal jitter", Brooker 2015) drawn from `random`; never less than what the peer asked for
/// (Retry-After, at most a day).
Milliseconds retry_delay(const model::RetryPolicy& policy, std::uint32_t failures, std::uint64_t random,
                         std::optional<Milliseconds> retry_after);

/// When the next attempt of a task that just failed with `error` may start; nullopt when it has failed for
/// good: the error is not retryable, the policy excludes its code, or attempts or time are used up.
std::optional<TimePoint> next_attempt_at(const model::RetryPolicy& policy, const model::TaskState& task,
                                         const Error& error, std::uint64_t random, TimePoint now);

/// A recorded random number for one use: the same execution, task and attempt give the same number.
std::uint64_t draw(std::uint64_t seed, model::TaskRef task, std::uint32_t attempt);

}  // namespace fp::engine

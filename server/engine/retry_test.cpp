#include "engine/retry.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace fp::engine {
namespace {

model::RetryPolicy policy() {
  model::RetryPolicy out;
  out.max_attempts = 4;
  out.jitter = false;
  out.max_delay = Milliseconds(3000);
  return out;
}

TEST(RetryDelay, GrowsUntilItsCap) {
  EXPECT_EQ(retry_delay(policy(), 1, 0, {}).count(), 1000);
  EXPECT_EQ(retry_delay(policy(), 2, 0, {}).count(), 2000);
  EXPECT_EQ(retry_delay(policy(), 3, 0, {}).count(), 3000);
  EXPECT_EQ(retry_delay(policy(), 1000, 0, {}).count(), 3000);
}

TEST(RetryDelay, RespectsThePeersWishWithinADay) {
  EXPECT_EQ(retry_delay(policy(), 1, 0, Milliseconds(90'000)).count(), 90'000);
  EXPECT_EQ(retry_delay(policy(), 1, 0, Milliseconds(500)).count(), 1000);
  EXPECT_EQ(retry_delay(policy(), 1, 0, std::chrono::hours(24 * 365)), Milliseconds(std::chrono::hours(24)));
}

RC_GTEST_PROP(RetryDelay, JitterStaysWithinTheUpperHalf, (std::uint64_t random)) {
  auto jittered = policy();
  jittered.jitter = true;
  const auto delay = retry_delay(jittered, 2, random, {}).count();
  RC_ASSERT(delay >= 1000 && delay <= 2000);
}

TEST(NextAttempt, EndsWithAttemptsTimeOrAnExcludedCode) {
  const TimePoint start{Milliseconds(1'000'000)};
  model::TaskState task;
  task.first_attempt_at = start;
  const Error error("http.5xx", "bad gateway", true);
  EXPECT_EQ(next_attempt_at(policy(), task, error, 0, start), start + Milliseconds(1000));
  EXPECT_FALSE(next_attempt_at(policy(), task, Error("http.5xx", "x", false), 0, start));
  task.failures = 3;
  EXPECT_FALSE(next_attempt_at(policy(), task, error, 0, start));
  task.failures = 0;
  auto excluded = policy();
  excluded.non_retryable = {"http.5xx"};
  EXPECT_FALSE(next_attempt_at(excluded, task, error, 0, start));
  auto hurried = policy();
  hurried.max_elapsed = Milliseconds(500);
  EXPECT_FALSE(next_attempt_at(hurried, task, error, 0, start));
}

}  // namespace
}  // namespace fp::engine

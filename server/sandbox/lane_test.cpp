#include "sandbox/lane.hpp"

#include "sandbox/sandboxed_evaluator.hpp"

#include <gtest/gtest.h>

#include <poll.h>

namespace fp::sandbox {
namespace {

constexpr std::chrono::hours kIdle{1};

/// A lane on a clock of its own: hours pass between two calls.
class LaneTest : public testing::Test {
 protected:
  Task make_check(std::string& outcome) {
    Task task;
    task.id = ++last_id_;
    task.answer_kind = wire::Kind::kChecked;
    task.outcomes = 1;
    task.frame = wire::to_frame(task.id, wire::Check{{"1 + 1"}});
    task.finish = [&outcome](Result<wire::Answer> answer) {
      outcome = answer ? "answered" : answer.error().code;
      return true;
    };
    return task;
  }

  void run_until(const std::string& outcome) {
    while (outcome.empty()) {
      lane_.advance(now_);
      if (!outcome.empty()) return;
      pollfd fd{lane_.fd(), POLLIN, 0};
      ASSERT_EQ(poll(&fd, 1, 10'000), 1);
      lane_.receive(now_);
    }
  }

  Lane lane_{default_sandbox_program()};
  SteadyPoint now_{std::chrono::hours(24)};
  std::uint32_t last_id_ = 0;
};

TEST_F(LaneTest, ATaskAfterALongRestHasItsWholeTime) {
  for (int i = 0; i < 3; ++i) {
    std::string outcome;
    lane_.give(make_check(outcome), now_);
    run_until(outcome);
    EXPECT_EQ(outcome, "answered") << i;
    now_ += kIdle;
    lane_.advance(now_);
  }
}

TEST_F(LaneTest, ATaskThatIsNotAnsweredInItsTimeIsEnded) {
  std::string first;
  lane_.give(make_check(first), now_);
  run_until(first);
  std::string second;
  lane_.give(make_check(second), now_);
  lane_.advance(now_);
  now_ += std::chrono::seconds(2);
  lane_.advance(now_);
  EXPECT_EQ(second, "expr.timeout");
}

}  // namespace
}  // namespace fp::sandbox

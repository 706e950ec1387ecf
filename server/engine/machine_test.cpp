#include "engine/machine.hpp"

#include <gtest/gtest.h>

#include <set>

namespace fp::engine {
namespace {

using C = TaskChange;

TEST(TaskMachine, WholeSquareIsDecided) {
  std::size_t legal = 0;
  for (int from = 0; from <= int(TaskStatus::cancelled); ++from) {
    for (int on = 0; on <= int(C::reopen); ++on) {
      if (TaskMachine::next(TaskStatus(from), C(on))) ++legal;
    }
  }
  EXPECT_EQ(legal, TaskMachine::table().size()) << "a row stands twice";
}

TEST(TaskMachine, NothingLeavesCompletedAndOnlyReopenLeavesTheOtherEnds) {
  for (int on = 0; on <= int(C::reopen); ++on) {
    EXPECT_FALSE(TaskMachine::next(TaskStatus::completed, C(on)));
    for (const auto end : {TaskStatus::failed, TaskStatus::skipped, TaskStatus::cancelled}) {
      EXPECT_EQ(TaskMachine::next(end, C(on)).has_value(), C(on) == C::reopen);
    }
  }
}

TEST(TaskMachine, QueuedIsOnlyHowTheOutsideSeesARunningTask) {
  for (const auto& row : TaskMachine::table()) {
    EXPECT_NE(row.from, TaskStatus::queued);
    EXPECT_NE(row.to, TaskStatus::queued);
  }
}

}  // namespace
}  // namespace fp::engine

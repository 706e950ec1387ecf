#include "api/policy.hpp"

#include "api/operations.hpp"

#include <gtest/gtest.h>

#include <set>

namespace fp::api {
namespace {

TEST(Policy, DecidesAboutTheActionOfEveryRoute) {
  for (const auto& spec : list_operations())
    EXPECT_TRUE(is_known_action(spec.action)) << spec.method << " " << spec.path << " " << spec.action;
}

TEST(Policy, LetsThisMachineInAndNobodyElse) {
  for (const auto& spec : list_operations()) {
    const bool is_protocol = std::string_view(spec.action) == "worker.protocol";
    EXPECT_EQ(decide_access({"local", true}, spec.action, "").has_value(), !is_protocol) << spec.action;
    EXPECT_FALSE(decide_access({"other", false}, spec.action, "").has_value()) << spec.action;
  }
}

TEST(Policy, AWorkerIsKnownByItsTokenAndMayDoAWorkersPartOnly) {
  for (const auto& spec : list_operations()) {
    const std::string_view action(spec.action);
    const bool is_workers = action == "worker.protocol" || action == "worker.control";
    EXPECT_EQ(decide_access({"worker", false, true}, action, "").has_value(), is_workers) << action;
  }
}

TEST(Policy, RefusesWhatItHasNotDecidedAbout) {
  EXPECT_FALSE(decide_access({"local", true}, "workflow.erase_everything", "").has_value());
  EXPECT_FALSE(decide_access({"local", true}, "", "").has_value());
  EXPECT_FALSE(decide_access({"local", true}, "workflow.read ", "").has_value());
}

TEST(Operations, ChangeNothingByGet) {
  const std::set<std::string_view> reading = {"workflow.read", "event.read",   "execution.read",
                                              "palette.read",  "system.read",  "system.public",
                                              "worker.read",   "webhook.read", "schedule.read"};
  for (const auto& spec : list_operations()) {
    if (std::string_view(spec.method) == "GET") {
      EXPECT_TRUE(reading.contains(spec.action)) << spec.path;
    }
  }
}

}  // namespace
}  // namespace fp::api

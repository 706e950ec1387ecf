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
    EXPECT_TRUE(decide_access({"local", true}, spec.action, "").has_value()) << spec.action;
    EXPECT_FALSE(decide_access({"other", false}, spec.action, "").has_value()) << spec.action;
  }
}

TEST(Policy, RefusesWhatItHasNotDecidedAbout) {
  EXPECT_FALSE(decide_access({"local", true}, "workflow.erase_everything", "").has_value());
  EXPECT_FALSE(decide_access({"local", true}, "", "").has_value());
  EXPECT_FALSE(decide_access({"local", true}, "workflow.read ", "").has_value());
}

TEST(Operations, ChangeNothingByGet) {
  const std::set<std::string_view> reading = {"workflow.read", "execution.read", "palette.read",
                                              "system.read", "system.public"};
  for (const auto& spec : list_operations()) {
    if (std::string_view(spec.method) == "GET") {
      EXPECT_TRUE(reading.contains(spec.action)) << spec.path;
    }
  }
}

}  // namespace
}  // namespace fp::api

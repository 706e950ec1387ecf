#include "base/ids.hpp"

#include <gtest/gtest.h>

namespace fp {
namespace {

TEST(Uuid, SortsByCreationTimeAndSurvivesARoundTrip) {
  SeededRng rng(7);
  const auto first = make_uuid7<ExecutionId>(TimePoint(Milliseconds(1'700'000'000'000)), rng);
  const auto second = make_uuid7<ExecutionId>(TimePoint(Milliseconds(1'700'000'000'001)), rng);
  EXPECT_LT(first, second);
  EXPECT_EQ(to_string(first)[14], '7');
  EXPECT_EQ(*parse_uuid<ExecutionId>(to_string(first)), first);
}

TEST(Uuid, DerivedIdsDependOnTheNameAlone) {
  EXPECT_EQ(derive_uuid<ExecutionId>("a/b"), derive_uuid<ExecutionId>("a/b"));
  EXPECT_NE(derive_uuid<ExecutionId>("a/b"), derive_uuid<ExecutionId>("a/c"));
}

TEST(Uuid, RefusesMalformedText) {
  for (const char* text : {"", "x", "01890a5d-ac96-774b-bcce-b302099a805",
                           "01890a5d-ac96-774b-bcce-b302099a805g", "01890a5dxac96-774b-bcce-b302099a8057"}) {
    EXPECT_FALSE(parse_uuid<ExecutionId>(text)) << text;
  }
}

}  // namespace
}  // namespace fp

#include "base/time.hpp"

#include <gtest/gtest.h>

namespace fp {
namespace {

TEST(Rfc3339, SurvivesARoundTrip) {
  for (const char* text :
       {"1970-01-01T00:00:00.000Z", "2026-01-31T08:15:00.250Z", "2099-12-31T23:59:59.999Z"}) {
    const auto parsed = parse_rfc3339(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(to_rfc3339(*parsed), text);
  }
}

TEST(Rfc3339, AppliesTheOffset) {
  EXPECT_EQ(to_rfc3339(*parse_rfc3339("2026-03-01T01:30:00+02:00")), "2026-02-28T23:30:00.000Z");
  EXPECT_EQ(to_rfc3339(*parse_rfc3339("2026-03-01t01:30:00.5-00:30")), "2026-03-01T02:00:00.500Z");
}

TEST(Rfc3339, RefusesAnythingElse) {
  for (const char* text :
       {"", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T08:15:00",
        "2026-01-31T08:15:00Zx", "2026-01-31T08:15:00.Z", "26-01-31T08:15:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(DisplayText, ReadsLikeAPersonWouldSayIt) {
  EXPECT_EQ(to_display_text(Milliseconds(850)), "850 ms");
  EXPECT_EQ(to_display_text(Milliseconds(1240)), "1.2 s");
  EXPECT_EQ(to_display_text(Milliseconds(200'000)), "3 min 20 s");
}

}  // namespace
}  // namespace fp

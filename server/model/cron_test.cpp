#include "model/cron.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace fp::model {
namespace {

TEST(Cron, ReadsFieldsNamesRangesAndSteps) {
  const auto cron = parse_cron("*/15 9-17 1,15 jan-MAR Mon,5-7");
  ASSERT_TRUE(cron) << cron.error().message;
  EXPECT_EQ(cron->seconds.count(), 1u);
  EXPECT_EQ(cron->minutes.count(), 4u);
  EXPECT_EQ(cron->hours.count(), 9u);
  EXPECT_EQ(cron->days.count(), 2u);
  EXPECT_EQ(cron->months.count(), 3u);
  EXPECT_EQ(cron->weekdays.to_string(), "1100011");
}

TEST(Cron, NicknamesStandForTheirExpression) {
  EXPECT_EQ(*parse_cron("@daily"), *parse_cron("0 0 * * *"));
  EXPECT_EQ(*parse_cron("@weekly"), *parse_cron("0 0 * * 7"));
}

TEST(Cron, RefusesEachMistakeWithItsCode) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "cron.syntax"},
      {"* * * *", "cron.syntax"},
      {"* * * * * * *", "cron.syntax"},
      {"60 * * * *", "cron.syntax"},
      {"*/0 * * * *", "cron.syntax"},
      {"5-1 * * * *", "cron.syntax"},
      {"1- * * * *", "cron.syntax"},
      {"\xD9\xA3 * * * *", "cron.syntax"},
      {"0 0 30 2 *", "cron.never_fires"},
      {"0 0 31 4,6 *", "cron.never_fires"},
      {"0 0 L-31 * *", "cron.unsupported"},
      {"0 ? * * 1", "cron.unsupported"},
      {"0 0 * * 5#6", "cron.unsupported"},
      {"0 0 * * 5#0", "cron.unsupported"},
      {"0 0 * * 15W", "cron.unsupported"},
      {"0 0 * L *", "cron.unsupported"},
      {"0 0 30W 2 *", "cron.never_fires"},
      {"0 0 L-30 2,4 *", "cron.never_fires"},
  };
  for (const auto& [text, code] : rows) {
    const auto cron = parse_cron(text);
    ASSERT_FALSE(cron) << text;
    EXPECT_EQ(cron.error().code, code) << text;
  }
  EXPECT_EQ(parse_cron(std::string(10'000, '*')).error().code, "cron.syntax");
  EXPECT_NE(parse_cron("5 24 * * *").error().message.find("hour"), std::string::npos);
}

TEST(Cron, KnowsTheDaysOfBusinessCalendars) {
  using namespace std::chrono;
  const std::tuple<const char*, year_month_day, bool> rows[] = {
      {"0 0 L * *", 2024y / 2 / 29, true},
      {"0 0 L * *", 2024y / 2 / 28, false},
      {"0 0 L-1 * *", 2024y / 2 / 28, true},
      {"0 0 15W * *", 2026y / 8 / 14, true},  // the 15th is a Saturday
      {"0 0 15W * *", 2026y / 8 / 15, false},
      {"0 0 1W * *", 2026y / 8 / 3, true},  // the 1st is a Saturday
      {"0 0 LW * *", 2026y / 5 / 29, true},
      {"0 0 LW * *", 2026y / 5 / 31, false},  // the 31st is a Sunday
      {"0 0 * * 5L", 2026y / 7 / 31, true},
      {"0 0 * * 5L", 2026y / 7 / 24, false},
      {"0 0 ? * MON#2", 2026y / 6 / 8, true},
      {"0 0 ? * MON#2", 2026y / 6 / 1, false},
      {"0 0 13 * 5", 2026y / 6 / 13, true},
      {"0 0 13 * 5", 2026y / 6 / 5, true},  // either one
      {"0 0 */2 * 1", 2026y / 6 / 1, true},
      {"0 0 */2 * 1", 2026y / 6 / 8, false},  // both: it begins with *
      {"0 0 * * fri-mon", 2026y / 6 / 7, true},
      {"0 0 * * fri-mon", 2026y / 6 / 9, false},
      {"0 0 * * MON-SUN", 2026y / 6 / 7, true},
  };
  for (const auto& [text, day, fits] : rows) {
    const auto cron = parse_cron(text);
    ASSERT_TRUE(cron) << text << ": " << cron.error().message;
    EXPECT_EQ(cron->fits(day), fits) << text << " on " << static_cast<unsigned>(day.day());
  }
}

RC_GTEST_PROP(Cron, NeverCrashesOnAnyText, (const std::string& text)) {
  static_cast<void>(parse_cron(text));
}

}  // namespace
}  // namespace fp::model

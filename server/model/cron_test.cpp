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
      {"* * * * MON-SUN", "cron.syntax"},
      {"0 0 30 2 *", "cron.never_fires"},
      {"0 0 31 4,6 *", "cron.never_fires"},
      {"0 0 L * *", "cron.unsupported"},
      {"0 0 ? * 1", "cron.unsupported"},
      {"0 0 * * 5#2", "cron.unsupported"},
      {"0 0 15W * *", "cron.unsupported"},
  };
  for (const auto& [text, code] : rows) {
    const auto cron = parse_cron(text);
    ASSERT_FALSE(cron) << text;
    EXPECT_EQ(cron.error().code, code) << text;
  }
  EXPECT_EQ(parse_cron(std::string(10'000, '*')).error().code, "cron.syntax");
  EXPECT_NE(parse_cron("5 24 * * *").error().message.find("hour"), std::string::npos);
}

RC_GTEST_PROP(Cron, NeverCrashesOnAnyText, (const std::string& text)) {
  static_cast<void>(parse_cron(text));
}

}  // namespace
}  // namespace fp::model

#include "triggers/schedule_trigger.hpp"

#include <gtest/gtest.h>

namespace fp::triggers {
namespace {

TimePoint at(std::string_view text) {
  return parse_rfc3339(text).value();
}

ScheduleTrigger make(JsonObject config) {
  const Json document = JsonObject{
      {"triggers", JsonArray{JsonObject{
                       {"id", "t"}, {"trigger_type", "schedule"}, {"trigger_config", std::move(config)}}}}};
  return read_schedule_triggers(document).at(0);
}

std::string plan(const ScheduleTrigger& trigger, std::string_view first, std::string_view now) {
  const auto planned = plan_due(trigger, {at(first)}, at(now));
  std::string out = std::to_string(planned.missed) + (planned.is_more ? "+" : "") + " missed, fires";
  for (const auto& tick : planned.fire) out += " " + to_rfc3339(tick.at).substr(5, 11);
  return out;
}

TEST(ScheduleTrigger, ATickOnTimeFiresWhateverThePolicy) {
  const auto daily = make({{"cron", "0 6 * * *"}});
  EXPECT_EQ(plan(daily, "2026-01-05T06:00:00Z", "2026-01-05T06:00:01Z"), "0 missed, fires 01-05T06:00");
  EXPECT_EQ(plan(daily, "2026-01-05T06:00:00Z", "2026-01-05T06:01:01Z"), "1 missed, fires");
}

TEST(ScheduleTrigger, DowntimeIsCaughtUpAsThePolicySays) {
  const auto first = "2026-01-05T06:00:00Z", now = "2026-01-09T12:00:00Z";
  EXPECT_EQ(plan(make({{"cron", "0 6 * * *"}}), first, now), "5 missed, fires");
  EXPECT_EQ(plan(make({{"cron", "0 6 * * *"}, {"catch_up", "latest"}}), first, now),
            "4 missed, fires 01-09T06:00");
  EXPECT_EQ(plan(make({{"cron", "0 6 * * *"}, {"catch_up", "all"}, {"catch_up_max", 3}}), first, now),
            "2 missed, fires 01-07T06:00 01-08T06:00 01-09T06:00");
  EXPECT_EQ(plan(make({{"cron", "0 6 * * *"}, {"catch_up", "all"}}), first, now),
            "0 missed, fires 01-05T06:00 01-06T06:00 01-07T06:00 01-08T06:00 01-09T06:00");
}

TEST(ScheduleTrigger, AMillionMissedTicksArePlannedAtOnce) {
  const auto trigger = make({{"cron", "* * * * * *"}, {"catch_up", "skip"}});
  const auto began = std::chrono::steady_clock::now();
  const auto planned = plan_due(trigger, {at("2026-01-01T00:00:00Z")}, at("2026-01-13T00:00:00Z"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(100));
  EXPECT_TRUE(planned.is_more);
  EXPECT_EQ(planned.fire.size(), 1u);
  EXPECT_EQ(planned.last_missed, at("2026-01-12T23:59:59Z"));
}

TEST(ScheduleTrigger, JitterIsTheSameForTheSameTick) {
  const auto trigger = make({{"cron", "0 6 * * *"}, {"jitter_seconds", 60}});
  const auto tick = at("2026-01-05T06:00:00Z");
  const auto due = with_jitter(trigger, "w", tick);
  EXPECT_EQ(due, with_jitter(trigger, "w", tick));
  EXPECT_GE(due, tick);
  EXPECT_LT(due, tick + std::chrono::seconds(60));
  EXPECT_NE(due, with_jitter(trigger, "v", tick));
}

}  // namespace
}  // namespace fp::triggers

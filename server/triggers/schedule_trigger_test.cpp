#include "triggers/schedule_trigger.hpp"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

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
  const auto window = 2 * 86'400;
  EXPECT_EQ(plan(make({{"cron", "0 6 * * *"}, {"catch_up", "all"}, {"catch_up_window_seconds", window}}),
                 first, now),
            "3 missed, fires 01-08T06:00 01-09T06:00");
  EXPECT_EQ(plan(make({{"cron", "0 6 * * *"}, {"catch_up", "latest"}, {"catch_up_window_seconds", 3600}}),
                 first, now),
            "5 missed, fires");
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

TEST(ScheduleTrigger, TheOnlyTickIsCaughtUpUnlessItSaysOtherwise) {
  const auto first = "2026-01-05T06:00:00Z", now = "2026-01-09T12:00:00Z";
  EXPECT_EQ(plan(make({{"at", first}}), first, now), "0 missed, fires 01-05T06:00");
  EXPECT_EQ(plan(make({{"at", first}, {"catch_up", "skip"}}), first, now), "1 missed, fires");
}

template <class T>
T one_of(std::vector<T> choices) {
  return *rc::gen::elementOf(std::move(choices));
}

/// A few ticks an hour to a few a year, in zones that change their clocks in every way there is.
JsonObject any_config() {
  JsonObject out{
      {"timezone", one_of<const char*>({"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                        "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia"})},
      {"missing_hour", one_of<const char*>({"shift", "skip"})},
      {"repeated_hour", one_of<const char*>({"first", "last", "both"})}};
  if (*rc::gen::inRange(0, 4) == 0) {
    out["every_seconds"] = *rc::gen::inRange(600, 1'000'000);
    return out;
  }
  const auto minute = one_of<const char*>({"0", "30", "*/20", "7,59", "L"});
  const auto hour = one_of<const char*>({"*", "2", "1-3", "*/6", "0,23"});
  const auto day = one_of<const char*>({"*", "*", "L", "15W", "1,29"});
  const auto weekday = one_of<const char*>({"*", "*", "MON-FRI", "5L", "SUN#2"});
  out["cron"] =
      std::string(minute == std::string_view("L") ? "5" : minute) + " " + hour + " " + day + " * " + weekday;
  return out;
}

/// What /api/schedules/preview/ tells is what the scheduler does, whenever it looks: on time, late, after a
/// crash; what it plans backwards is what the preview lists forwards.
RC_GTEST_PROP(ScheduleTrigger, FiresWhatThePreviewTells, ()) {
  auto config = any_config();
  config["catch_up"] = "all";
  config["catch_up_max"] = 10'000;
  const auto trigger = make(config);
  const auto start = at("2026-01-01T00:00:00Z") + Milliseconds(1000ll * *rc::gen::inRange(0, 400 * 86'400));
  auto now = start;
  std::vector<TimePoint> fired;
  auto next = find_next(trigger.schedule, start);
  for (int look = 0; look < 12; ++look) {
    now += Milliseconds(1000ll * *rc::gen::inRange(1, 20 * 86'400));
    if (!next || next->at > now) continue;
    const auto planned = plan_due(trigger, *next, now);
    RC_ASSERT(planned.missed == 0u);
    RC_ASSERT(planned.fire.front() == *next);
    for (const auto& tick : planned.fire) fired.push_back(tick.at);
    next = find_next(trigger.schedule, fired.back());
  }
  std::vector<TimePoint> told;
  for (auto tick = find_next(trigger.schedule, start); tick && tick->at <= now;
       tick = find_next(trigger.schedule, tick->at))
    told.push_back(tick->at);
  RC_ASSERT(fired == told);
}

}  // namespace
}  // namespace fp::triggers

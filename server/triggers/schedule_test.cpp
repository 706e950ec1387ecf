#include "triggers/schedule.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace fp::triggers {
namespace {

Schedule make(JsonObject config) {
  auto read = read_schedule(Json(std::move(config)));
  EXPECT_TRUE(read) << read.error().message;
  return *read;
}

TimePoint at(std::string_view text) {
  return parse_rfc3339(text).value();
}

/// Local times and notes of the ticks after `after`.
std::vector<std::string> list(const Schedule& schedule, std::string_view after, std::size_t count) {
  std::vector<std::string> out;
  auto time = at(after);
  while (out.size() < count) {
    const auto tick = find_next(schedule, time);
    if (!tick) break;
    static constexpr const char* kNotes[] = {"", " shifted", " repeated"};
    out.push_back(to_local_text(schedule, tick->at) + kNotes[static_cast<std::size_t>(tick->note)]);
    time = tick->at;
  }
  return out;
}
using Lines = std::vector<std::string>;

TEST(Schedule, AMissingHourIsShiftedOrSkipped) {
  const JsonObject config{{"cron", "15,45 2 * * *"}, {"timezone", "Europe/Berlin"}};
  EXPECT_EQ(
      list(make(config), "2026-03-28T12:00:00Z", 3),
      (Lines{"2026-03-29T03:00:00+02:00 shifted", "2026-03-30T02:15:00+02:00", "2026-03-30T02:45:00+02:00"}));
  auto skipping = config;
  skipping["missing_hour"] = "skip";
  EXPECT_EQ(list(make(skipping), "2026-03-28T12:00:00Z", 1), (Lines{"2026-03-30T02:15:00+02:00"}));
}

TEST(Schedule, ARepeatedHourFiresOnceOrTwice) {
  JsonObject config{{"cron", "30 2 * * *"}, {"timezone", "Europe/Berlin"}};
  const std::string first = "2026-10-25T02:30:00+02:00 repeated", last = "2026-10-25T02:30:00+01:00 repeated";
  EXPECT_EQ(list(make(config), "2026-10-24T12:00:00Z", 2), (Lines{first, "2026-10-26T02:30:00+01:00"}));
  config["repeated_hour"] = "last";
  EXPECT_EQ(list(make(config), "2026-10-24T12:00:00Z", 2), (Lines{last, "2026-10-26T02:30:00+01:00"}));
  config["repeated_hour"] = "both";
  EXPECT_EQ(list(make(config), "2026-10-24T12:00:00Z", 2), (Lines{first, last}));
}

TEST(Schedule, WhatFiresInEveryHourGoesByRealTime) {
  const auto schedule = make({{"cron", "*/30 * * * *"}, {"timezone", "Europe/Berlin"}});
  EXPECT_EQ(list(schedule, "2026-03-29T00:40:00Z", 2),
            (Lines{"2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"}));
  EXPECT_EQ(list(schedule, "2026-10-25T00:10:00Z", 4),
            (Lines{"2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00",
                   "2026-10-25T03:00:00+01:00"}));
}

TEST(Schedule, OddZones) {
  EXPECT_EQ(
      list(make({{"cron", "15 2 * * *"}, {"timezone", "Australia/Lord_Howe"}}), "2026-10-03T00:00:00Z", 2),
      (Lines{"2026-10-04T02:30:00+11:00 shifted", "2026-10-05T02:15:00+11:00"}))
      << "half an hour forward";
  EXPECT_EQ(
      list(make({{"cron", "0 12 * * *"}, {"timezone", "Pacific/Apia"}}), "2011-12-29T00:00:00Z", 3),
      (Lines{"2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00 shifted", "2011-12-31T12:00:00+14:00"}))
      << "a day that never was";
  EXPECT_EQ(list(make({{"cron", "0 6 * * *"}, {"timezone", "Asia/Kathmandu"}}), "2026-01-01T00:00:00Z", 1),
            (Lines{"2026-01-01T06:00:00+05:45"}));
}

TEST(Schedule, RareDaysAreFoundAtOnce) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(
      list(make({{"cron", "0 0 29 2 */7"}, {"timezone", "America/New_York"}}), "2026-01-01T00:00:00Z", 2),
      (Lines{"2032-02-29T00:00:00-05:00", "2060-02-29T00:00:00-05:00"}));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(50));
}

TEST(Schedule, IntervalsCountFromTheirAnchor) {
  const auto schedule =
      make({{"every_seconds", 3600}, {"anchor", "2026-01-01T00:10:00Z"}, {"end", "2026-01-01T02:30:00Z"}});
  EXPECT_EQ(list(schedule, "2025-06-01T00:00:00Z", 9),
            (Lines{"2026-01-01T00:10:00+00:00", "2026-01-01T01:10:00+00:00", "2026-01-01T02:10:00+00:00"}));
  const auto bounded =
      make({{"cron", "0 0 * * *"}, {"start", "2026-01-05T00:00:00Z"}, {"end", "2026-01-06T00:00:00Z"}});
  EXPECT_EQ(list(bounded, "2026-01-01T00:00:00Z", 9),
            (Lines{"2026-01-05T00:00:00+00:00", "2026-01-06T00:00:00+00:00"}));
}

TEST(Schedule, PreviousIsTheInverseOfNext) {
  for (const char* cron :
       {"30 2 * * *", "*/7 * * * *", "0 0 L 2 *", "*/20 * * * * *", "15 1,2,3 * 3,10 SUN"}) {
    for (const char* zone :
         {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"}) {
      const auto schedule = make({{"cron", cron}, {"timezone", zone}, {"repeated_hour", "both"}});
      auto before = find_next(schedule, at("2026-03-01T00:00:00Z"));
      for (int i = 0; i < 40; ++i) {
        const auto next = find_next(schedule, before->at);
        ASSERT_TRUE(next);
        ASSERT_EQ(find_previous(schedule, next->at), before)
            << cron << " " << zone << " " << to_rfc3339(next->at);
        before = next;
      }
    }
  }
}

TEST(Schedule, MistakesAreNamed) {
  const std::pair<JsonObject, const char*> rows[] = {
      {{{"cron", "* * * *"}}, "cron.syntax"},
      {{{"cron", "0 0 * * *"}, {"timezone", "Mars/X"}}, "tz.unknown"},
      {{{"cron", "0 0 * * *"}, {"timezone", "../../etc/passwd"}}, "tz.unknown"},
      {{{"cron", "0 0 * * *"}, {"start", "tomorrow"}}, "time.syntax"},
      {{}, "field.missing"}};
  for (const auto& [config, code] : rows) {
    const auto read = read_schedule(config);
    ASSERT_FALSE(read) << code;
    EXPECT_EQ(read.error().code, code);
  }
}

TEST(Schedule, FiresOnceAtATime) {
  const auto once = make({{"at", "2026-03-01T12:00:00.500+01:00"}, {"timezone", "Europe/Berlin"}});
  const auto tick = at("2026-03-01T11:00:00.500Z");
  EXPECT_EQ(find_next(once, tick - Milliseconds(1))->at, tick);
  EXPECT_FALSE(find_next(once, tick));
  EXPECT_EQ(find_previous(once, tick + Milliseconds(1))->at, tick);
  EXPECT_FALSE(find_previous(once, tick));
  EXPECT_FALSE(find_next(make({{"at", "2026-03-01T12:00:00Z"}, {"end", "2026-02-01T00:00:00Z"}}),
                         at("2026-01-01T00:00:00Z")));
  EXPECT_EQ(
      read_schedule(Json(JsonObject{{"at", "2026-03-01T12:00:00Z"}, {"cron", "* * * * *"}})).error().code,
      "field.missing");
}

TEST(Schedule, KnowsItsShortestGap) {
  const auto gap = [](const char* cron) { return find_shortest_gap(make({{"cron", cron}})).count() / 1000; };
  EXPECT_EQ(gap("* * * * * *"), 1);
  EXPECT_EQ(gap("*/7 * * * * *"), 4) << "from :56 to the next minute";
  EXPECT_EQ(gap("*/10 * * * * *"), 10);
  EXPECT_EQ(gap("* * * * *"), 60);
  EXPECT_EQ(gap("0,59 * * * *"), 60);
  EXPECT_EQ(gap("0 6 * * *"), 86'400);
  EXPECT_EQ(gap("0 0,23 * * *"), 3'600) << "over midnight";
  EXPECT_EQ(find_shortest_gap(make({{"every_seconds", 90}})), Milliseconds(90'000));
}

TEST(Schedule, CountsTicksByTheHourWithinABudget) {
  const auto quarter = make({{"cron", "*/15 * * * *"}});
  const auto begin = at("2026-01-01T00:00:00Z");
  std::uint64_t budget = 100;
  EXPECT_EQ(count_by_hour(quarter, at("2026-01-01T00:30:00Z"), begin, 3, budget),
            (std::vector<std::uint64_t>{2, 4, 4}));
  EXPECT_EQ(budget, 90u);
  budget = 5;
  EXPECT_EQ(count_by_hour(quarter, begin, begin, 3, budget), (std::vector<std::uint64_t>{4, 1, 0}));
  EXPECT_EQ(budget, 0u);
}

}  // namespace
}  // namespace fp::triggers

#pragma once

#include "ports/store_samples.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

/// How every storage engine keeps what executions logged and how they went.
namespace fp::ports {

template <class Engine>
class StoreHistoryContract : public StoreFixture<Engine> {
 protected:
  std::vector<std::string> texts(const LogFilter& filter, std::size_t limit = 100) {
    std::vector<std::string> found;
    std::uint64_t last = 0;
    for (const auto& line : this->store().list_log(test_id(1), filter, limit).lines) {
      EXPECT_GT(line.number, last);
      last = line.number;
      found.push_back(line.line.text);
    }
    return found;
  }
  void log(std::uint64_t seq, std::vector<StoredLogLine> lines) {
    auto write = seq == 1 ? start_write(1) : row_write(1, seq);
    write.log_lines = std::move(lines);
    write.log_after_seq = seq - 1;
    EXPECT_EQ(this->commit_one(write), WriteOutcome::committed);
  }
  static ExecutionWrite ended(std::uint32_t number, ExecutionSample sample) {
    auto write = start_write(number, "completed");
    write.sample = std::move(sample);
    return write;
  }
};
TYPED_TEST_SUITE_P(StoreHistoryContract);

constexpr std::int64_t kHour = 3'600'000;
inline const RollupFilter kAllRollups{
    .workflow = "", .with_steps = true, .since = {}, .until = TimePoint(Milliseconds(INT64_MAX))};

TYPED_TEST_P(StoreHistoryContract, LogLinesKeepTheirOrderNumbersAndBatches) {
  std::vector<StoredLogLine> first = {
      {0, "fetch", -1, 1, {at_ms(1), "info", "one \xF0\x9F\x98\x80 \"quoted\""}},
      {7, "fetch", 3, 2, {at_ms(2), "error", std::string("nul \0 inside", 12)}}};
  std::vector<StoredLogLine> second = {{0, "send", -1, 1, {at_ms(3), "debug", "three"}}};
  this->log(1, first);
  this->log(2, second);
  this->engine_.reopen();
  this->commit_one(row_write(1, 3));
  this->log(4, second);
  first[0].number = 1;
  first[1].number = 2;
  second[0].number = 3;
  auto third = second;
  third[0].number = 4;
  const std::vector<LogBatch> batches = {{1, 0, first}, {2, 1, second}, {3, 3, third}};
  EXPECT_EQ(this->store().list_log_batches(test_id(1), 0, 10), batches);
  EXPECT_EQ(this->store().list_log_batches(test_id(1), 1, 1), std::vector{batches[1]});
  EXPECT_TRUE(this->store().list_log_batches(test_id(1), 3, 10).empty());
  EXPECT_EQ(this->store().load_execution(test_id(1))->log_batches, 3U);
  const auto page = this->store().list_log(test_id(1), {}, 10);
  EXPECT_EQ(page.lines, (std::vector{first[0], first[1], second[0], third[0]}));
  EXPECT_FALSE(page.more);
}

TYPED_TEST_P(StoreHistoryContract, AJournalIsReadInPartsWithTheRowBefore) {
  this->commit_one(start_write(1));
  this->commit_one(row_write(1, 2, 3));
  this->commit_one(row_write(1, 5));
  this->commit_one(row_write(1, 6, 2));
  this->engine_.reopen();
  const auto rows_of = [&](std::uint64_t after, std::size_t limit) {
    return this->store().load_journal(test_id(1), after, limit)->rows;
  };
  EXPECT_EQ(this->store().load_journal(test_id(1), 0, 1)->events, 7U);
  EXPECT_EQ(rows_of(0, 1), std::vector{test_row(1)});
  EXPECT_EQ(rows_of(0, 2), (std::vector{test_row(1), test_row(2, 3)}));
  EXPECT_EQ(rows_of(3, 1), (std::vector{test_row(1), test_row(2, 3)})) << "event 4 is in the second row";
  EXPECT_EQ(rows_of(4, 1), (std::vector{test_row(2, 3), test_row(5)}));
  EXPECT_EQ(rows_of(4, 100), (std::vector{test_row(2, 3), test_row(5), test_row(6, 2)}));
  EXPECT_EQ(rows_of(6, 1), (std::vector{test_row(5), test_row(6, 2)}));
  EXPECT_TRUE(rows_of(7, 10).empty());
  EXPECT_TRUE(rows_of(~std::uint64_t{0}, ~std::size_t{0}).empty());
  EXPECT_TRUE(rows_of(0, 0).empty());
  EXPECT_FALSE(this->store().load_journal(test_id(9), 0, 10));
}

TYPED_TEST_P(StoreHistoryContract, ALogPagesForwardsAndFromItsEnd) {
  std::uint64_t seq = 1;
  for (const int size : {3, 1, 2}) {
    std::vector<StoredLogLine> lines;
    for (int i = 0; i < size; ++i) lines.push_back(test_line(std::to_string(seq) + "." + std::to_string(i)));
    this->log(seq++, lines);
  }
  using Texts = std::vector<std::string>;
  EXPECT_EQ(this->texts({}, 4), (Texts{"1.0", "1.1", "1.2", "2.0"}));
  EXPECT_EQ(this->texts({.after = 1}, 3), (Texts{"1.1", "1.2", "2.0"}));
  EXPECT_EQ(this->texts({.after = 4}), (Texts{"3.0", "3.1"}));
  EXPECT_EQ(this->texts({.after = 6}), (Texts{}));
  EXPECT_EQ(this->texts({.newest = true}, 3), (Texts{"2.0", "3.0", "3.1"}));
  EXPECT_EQ(this->texts({.after = 5, .newest = true}, 3), (Texts{"3.1"}));
  EXPECT_EQ(this->texts({.newest = true}), this->texts({}));
  for (const bool newest : {false, true}) {
    const auto more = [&](std::uint64_t after, std::size_t limit) {
      return this->store().list_log(test_id(1), {.after = after, .newest = newest}, limit).more;
    };
    EXPECT_TRUE(more(0, 5));
    EXPECT_FALSE(more(0, 6));
    EXPECT_TRUE(more(3, 2));
    EXPECT_FALSE(more(3, 3));
  }
}

TYPED_TEST_P(StoreHistoryContract, ALogIsFilteredByStepAttemptLevelAndText) {
  this->log(1, {{0, "fetch", -1, 1, {at_ms(1), "debug", "Connecting"}},
                {0, "fetch", -1, 1, {at_ms(1), "warning", "slow PEER"}}});
  this->log(2, {{0, "fetch", -1, 2, {at_ms(2), "error", "no peer"}}});
  this->log(3, {{0, "send", 4, 1, {at_ms(3), "info", "sent"}}});
  this->log(4, {{0, "send", 5, 1, {at_ms(4), "strange", "sent too"}}});
  using Texts = std::vector<std::string>;
  EXPECT_EQ(this->texts({.step = "send"}), (Texts{"sent", "sent too"}));
  EXPECT_EQ(this->texts({.step = "send", .index = 5}), (Texts{"sent too"}));
  EXPECT_EQ(this->texts({.index = -1, .attempt = 1}), (Texts{"Connecting", "slow PEER"}));
  EXPECT_EQ(this->texts({.lowest_level = "debug"}).size(), 5U);
  EXPECT_EQ(this->texts({.lowest_level = "info"}), (Texts{"slow PEER", "no peer", "sent", "sent too"}))
      << "an unknown level counts as info";
  EXPECT_EQ(this->texts({.lowest_level = "warning"}), (Texts{"slow PEER", "no peer"}));
  EXPECT_EQ(this->texts({.lowest_level = "error"}), (Texts{"no peer"}));
  EXPECT_EQ(this->texts({.search = "Peer"}), (Texts{"slow PEER", "no peer"}));
  EXPECT_EQ(this->texts({.search = "peer", .newest = true}, 1), (Texts{"no peer"}));
  EXPECT_TRUE(this->store().list_log(test_id(1), {.search = "peer", .newest = true}, 1).more);
  EXPECT_FALSE(this->store().list_log(test_id(1), {.step = "send"}, 2).more);
  EXPECT_TRUE(this->store().list_log(test_id(2), {}, 5).lines.empty());
  EXPECT_TRUE(this->store().list_log_batches(test_id(2), 0, 5).empty());
}

TYPED_TEST_P(StoreHistoryContract, SamplesAddUpToHoursOfWorkflowsAndSteps) {
  const TimePoint hour(Milliseconds(480'000 * kHour));
  ExecutionSample sample{"signup", "completed", hour + Milliseconds(5), Milliseconds(900), {}};
  sample.steps = {{"crm", "completed", 1, 2, Milliseconds(100), Milliseconds(3)},
                  {"mail", "failed", 4, 1, Milliseconds(200), Milliseconds(4)},
                  {"vip", "skipped", 1, 0, Milliseconds(7), Milliseconds(7)},
                  {"late", "cancelled", 1, 0, Milliseconds(1), Milliseconds(1)}};
  auto failed = sample;
  failed.status = "failed";
  failed.ended_at = hour + Milliseconds(kHour - 1);
  failed.duration = Milliseconds(10);
  failed.steps.resize(1);
  auto later = sample;
  later.ended_at = hour + Milliseconds(kHour);
  later.steps.clear();
  this->commit({this->ended(1, sample), this->ended(2, failed)});
  this->engine_.reopen();
  this->commit({this->ended(3, later), this->ended(4, sample)});

  const auto rollups = this->store().list_rollups(kAllRollups);
  ASSERT_EQ(rollups.size(), 5U);
  HourlyRollup whole{"signup", "", hour, 2, 1, 0, 8, {}, {}};
  whole.duration.add(Milliseconds(900), 2);
  whole.duration.add(Milliseconds(10));
  EXPECT_EQ(rollups[0], whole);
  HourlyRollup crm{"signup", "crm", hour, 3, 0, 0, 6, {}, {}};
  crm.duration.add(Milliseconds(100), 3);
  crm.queue_wait.add(Milliseconds(3), 3);
  EXPECT_EQ(rollups[1], crm);
  EXPECT_EQ(rollups[2].step, "late");
  EXPECT_EQ(rollups[2].cancelled, 2U);
  EXPECT_EQ(rollups[3].step, "mail");
  EXPECT_EQ(rollups[3].failed, 8U) << "tasks are counted";
  EXPECT_EQ(rollups[3].duration.count(), 2U) << "steps are timed";
  EXPECT_EQ(rollups[4].hour, hour + Milliseconds(kHour));
  EXPECT_EQ(rollups[4].completed, 1U);
}

TYPED_TEST_P(StoreHistoryContract, RollupsAreListedByWorkflowAndTimeAndOutliveTheirExecutions) {
  std::vector<ExecutionWrite> writes;
  for (std::uint32_t i = 0; i < 12; ++i) {
    ExecutionSample sample{i % 3 ? "b" : "a", "completed", TimePoint(Milliseconds(i / 4 * kHour)), {}, {}};
    sample.steps = {{"step", "completed", 1, 0, {}, {}}};
    writes.push_back(this->ended(i + 1, sample));
  }
  this->commit(std::move(writes));
  auto refused = start_write(1);
  refused.sample = ExecutionSample{"c", "completed", at_ms(1), {}, {}};
  EXPECT_EQ(this->commit_one(refused), WriteOutcome::conflict);
  this->prune_all(at_ms(1'000'000));
  const auto list = [&](std::string workflow, bool with_steps, std::int64_t from, std::int64_t to) {
    std::string text;
    const RollupFilter filter{std::move(workflow), with_steps, TimePoint(Milliseconds(from * kHour)),
                              TimePoint(Milliseconds(to * kHour))};
    for (const auto& row : this->store().list_rollups(filter)) {
      text += std::to_string(row.hour.time_since_epoch().count() / kHour) + row.workflow +
              (row.step.empty() ? " " : "+ ");
    }
    return text;
  };
  EXPECT_EQ(list("", false, 0, 9), "0a 0b 1a 1b 2a 2b ");
  EXPECT_EQ(list("", true, 0, 2), "0a 0a+ 0b 0b+ 1a 1a+ 1b 1b+ ");
  EXPECT_EQ(list("b", false, 1, 9), "1b 2b ");
  EXPECT_EQ(list("b", true, 1, 2), "1b 1b+ ");
  EXPECT_EQ(list("c", true, 0, 9), "");
}

REGISTER_TYPED_TEST_SUITE_P(StoreHistoryContract, LogLinesKeepTheirOrderNumbersAndBatches,
                            AJournalIsReadInPartsWithTheRowBefore, ALogPagesForwardsAndFromItsEnd,
                            ALogIsFilteredByStepAttemptLevelAndText, SamplesAddUpToHoursOfWorkflowsAndSteps,
                            RollupsAreListedByWorkflowAndTimeAndOutliveTheirExecutions);

}  // namespace fp::ports

#pragma once

#include "ports/store_samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

/// How every storage engine lists and counts executions.
namespace fp::ports {

template <class Engine>
class StoreListsContract : public StoreFixture<Engine> {
 protected:
  /// All that fit, page by page; checks that pages are full, and that each says truly whether it is the last.
  std::vector<std::uint32_t> list(const ExecutionFilter& filter, std::size_t page_size = 2) {
    std::vector<std::uint32_t> numbers;
    std::optional<std::uint64_t> before;
    while (true) {
      const auto page = this->store().list_executions(filter, before, page_size);
      for (const auto& item : page.items) numbers.push_back(test_number(item.id.bytes));
      if (!page.next) break;
      EXPECT_EQ(page.items.size(), page_size);
      before = page.next;
    }
    return numbers;
  }
  std::uint64_t count(const ExecutionFilter& filter, std::uint64_t most = 1000) {
    const auto counted = this->store().count_executions(filter, most);
    EXPECT_TRUE(counted.is_exact);
    return counted.count;
  }
};
TYPED_TEST_SUITE_P(StoreListsContract);

TYPED_TEST_P(StoreListsContract, PagesInTheReverseOrderOfArrivalAndStaysStableUnderInserts) {
  for (const std::uint32_t number : {50U, 10U, 90U, 30U, 70U}) this->commit_one(start_write(number));
  auto page = this->store().list_executions({}, std::nullopt, 2);
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].id, test_id(70)) << "whatever its id";
  EXPECT_EQ(page.items[1].id, test_id(30));
  ASSERT_TRUE(page.next);
  this->commit({start_write(100), start_write(20)});
  auto change = row_write(90, 2);
  change.summary = test_summary(90, "waiting");
  this->commit_one(change);
  this->engine_.reopen();
  page = this->store().list_executions({}, page.next, 3);
  ASSERT_EQ(page.items.size(), 3U);
  EXPECT_EQ(page.items[0], test_summary(90, "waiting"));
  EXPECT_EQ(page.items[1].id, test_id(10));
  EXPECT_EQ(page.items[2].id, test_id(50));
  EXPECT_FALSE(page.next) << "a full last page says that it is the last";
  EXPECT_TRUE(this->store().list_executions({}, std::nullopt, 0).items.empty());
}

TYPED_TEST_P(StoreListsContract, FiltersByEveryMixOfStatusWorkflowAndUnfinished) {
  const std::vector<std::string> statuses = {"pending",   "running", "waiting",  "paused",
                                             "completed", "failed",  "cancelled"};
  std::vector<ExecutionWrite> writes;
  for (std::uint32_t i = 0; i < 42; ++i) {
    writes.push_back(start_write(i, statuses[i % 7]));
    writes.back().summary->workflow_name = i % 2 ? "odd" : "even";
    if (i % 3 == 0) writes.back().summary->workflow = test_workflow_id(i % 2);
  }
  this->commit(std::move(writes));
  const std::vector<std::string> workflows = {
      "", "odd", "even", "none", to_string(test_workflow_id(1)), to_string(test_workflow_id(8))};
  for (const auto& workflow : workflows) {
    for (std::uint32_t wanted = 0; wanted < 128; ++wanted) {
      for (const bool unfinished : {false, true}) {
        ExecutionFilter filter{.workflow = workflow, .unfinished_only = unfinished};
        for (std::uint32_t s = 0; s < 7; ++s)
          if ((wanted >> s & 1) != 0) filter.status.push_back(statuses[s]);
        std::vector<std::uint32_t> expected;
        for (std::uint32_t i = 42; i-- > 0;) {
          const bool of_workflow = workflow.empty() || workflow == (i % 2 ? "odd" : "even") ||
                                   (workflow == workflows[4] && i % 3 == 0 && i % 2 == 1);
          const bool in_status = wanted == 0 || (wanted >> (i % 7) & 1) != 0;
          if (of_workflow && in_status && !(unfinished && i % 7 > 3)) expected.push_back(i);
        }
        ASSERT_EQ(this->list(filter, 5), expected) << workflow << " " << wanted << " " << unfinished;
        ASSERT_EQ(this->count(filter, 0), expected.size()) << "counted as written, whatever the limit";
      }
    }
  }
}

TYPED_TEST_P(StoreListsContract, FiltersByWhatElseIsKnownOfAnExecution) {
  std::vector<ExecutionWrite> writes;
  for (std::uint32_t i = 1; i <= 8; ++i) writes.push_back(start_write(i, i % 2 ? "failed" : "running"));
  for (auto& write : writes) write.summary->started_at = at_ms(10 * test_number(write.id.bytes));
  writes[0].summary->trigger = "webhook";
  writes[1].summary->parent = writes[2].summary->parent = test_id(1);
  writes[3].summary->retry_of = test_id(1);
  this->commit(std::move(writes));
  using Numbers = std::vector<std::uint32_t>;
  EXPECT_EQ(this->list({.trigger = "webhook"}), (Numbers{1}));
  EXPECT_EQ(this->list({.parent = test_id(1)}), (Numbers{3, 2}));
  EXPECT_EQ(this->list({.status = {"failed"}, .parent = test_id(1)}), (Numbers{3}));
  EXPECT_EQ(this->list({.retry_of = test_id(1)}), (Numbers{4}));
  EXPECT_EQ(this->list({.since = at_ms(70)}), (Numbers{8, 7})) << "at or after";
  EXPECT_EQ(this->list({.until = at_ms(20)}), (Numbers{1})) << "before";
  EXPECT_EQ(this->list({.status = {"failed"}, .since = at_ms(20), .until = at_ms(60)}), (Numbers{5, 3}));
  EXPECT_EQ(this->list({.status = {"failed", "running"}, .trigger = "manual", .until = at_ms(30)}),
            (Numbers{2}));
  EXPECT_EQ(this->list({.trigger = "none"}), (Numbers{}));
  EXPECT_EQ(this->count({.parent = test_id(1)}), 2U);
  EXPECT_EQ(this->count({.since = at_ms(70)}), 2U);
}

TYPED_TEST_P(StoreListsContract, FindsLabelsByNameAndByValue) {
  std::vector<ExecutionWrite> writes;
  const std::vector<JsonObject> labels = {{{"team", "crm"}},
                                          {{"team", "crm2"}, {"a", "1"}},
                                          {{"xteam", "crm"}},
                                          {{"quote", ",\"team\":\"crm\","}},
                                          {{"a", 1}},
                                          {{"x\"team", "crm"}, {"e", "\xC3\xA9=\xC3\xA9"}},
                                          {}};
  for (std::uint32_t i = 0; i < labels.size(); ++i) {
    writes.push_back(start_write(i));
    writes.back().summary->labels = labels[i];
  }
  this->commit(std::move(writes));
  using Numbers = std::vector<std::uint32_t>;
  EXPECT_EQ(this->list({.label = "team"}), (Numbers{1, 0}));
  EXPECT_EQ(this->list({.label = "team=crm"}), (Numbers{0}));
  EXPECT_EQ(this->list({.label = "a=1"}), (Numbers{4, 1})) << "a number as well as its text";
  EXPECT_EQ(this->list({.label = "x\"team"}), (Numbers{5}));
  EXPECT_EQ(this->list({.label = "e=\xC3\xA9=\xC3\xA9"}), (Numbers{5})) << "only the first = divides";
  EXPECT_EQ(this->list({.label = "team="}), (Numbers{}));
  EXPECT_EQ(this->list({.label = "nothing"}), (Numbers{}));
}

TYPED_TEST_P(StoreListsContract, SearchesInNamesErrorsLabelsAndIds) {
  std::vector<ExecutionWrite> writes;
  for (std::uint32_t i = 1; i <= 6; ++i) writes.push_back(start_write(i));
  writes[0].summary->workflow_name = "New User Onboarding";
  writes[1].summary->error_code = "http.503";
  writes[2].summary->error_message = "The CRM said: Over Quota \xC3\x84\xC3\x96";
  writes[3].summary->labels = JsonObject{{"Customer", "ACME"}};
  writes[4].id = ExecutionId{test_id(0xABCDEF12).bytes};
  writes[4].summary->id = writes[4].id;
  this->commit(std::move(writes));
  using Numbers = std::vector<std::uint32_t>;
  EXPECT_EQ(this->list({.search = "user onb"}), (Numbers{1}));
  EXPECT_EQ(this->list({.search = "HTTP.5"}), (Numbers{2}));
  EXPECT_EQ(this->list({.search = "over QUOTA \xC3\x84"}), (Numbers{3}));
  EXPECT_EQ(this->list({.search = "\xC3\xA4"}), (Numbers{})) << "only ASCII letters are of any case";
  EXPECT_EQ(this->list({.search = "acme"}), (Numbers{4}));
  EXPECT_EQ(this->list({.search = "abcdef12"}), (Numbers{0xABCDEF12}));
  EXPECT_EQ(this->list({.search = to_string(test_id(0xABCDEF12))}), (Numbers{0xABCDEF12}));
  EXPECT_EQ(this->list({.status = {"failed"}, .search = "acme"}), (Numbers{}));
  EXPECT_EQ(this->list({.search = "%"}), (Numbers{})) << "no pattern";
  EXPECT_EQ(this->count({.search = "a"}), 4U) << "three by their texts, one by its id";
}

TYPED_TEST_P(StoreListsContract, CountsUpToALimitWhatIsNotCountedAnyway) {
  std::vector<ExecutionWrite> writes;
  for (std::uint32_t i = 1; i <= 9; ++i) writes.push_back(start_write(i));
  this->commit(std::move(writes));
  const ExecutionFilter filter{.trigger = "manual"};
  EXPECT_EQ(this->count(filter, 9), 9U);
  const auto bounded = this->store().count_executions(filter, 8);
  EXPECT_EQ(bounded.count, 8U);
  EXPECT_FALSE(bounded.is_exact);
}

TYPED_TEST_P(StoreListsContract, CountsFollowEveryChange) {
  using Counts = std::map<std::string, std::uint64_t>;
  EXPECT_EQ(this->store().count_by_status(), Counts{});
  auto bad = row_write(3, 7);
  bad.summary = test_summary(3, "failed");
  auto end = row_write(2, 2);
  end.summary = test_summary(2, "completed");
  this->commit({start_write(1), start_write(2), start_write(3), end, bad});
  EXPECT_EQ(this->store().count_by_status(), (Counts{{"running", 2}, {"completed", 1}}));
  this->engine_.reopen();
  auto failed = row_write(1, 2);
  failed.summary = test_summary(1, "failed");
  auto reopened = row_write(1, 3);
  reopened.summary = test_summary(1, "waiting");
  reopened.summary->round = 1;
  this->commit_one(failed);
  EXPECT_EQ(this->store().count_by_status(), (Counts{{"running", 1}, {"completed", 1}, {"failed", 1}}));
  this->commit_one(reopened);
  EXPECT_EQ(this->store().count_by_status(), (Counts{{"running", 1}, {"completed", 1}, {"waiting", 1}}));
  this->prune_all(at_ms(100));
  EXPECT_EQ(this->store().count_by_status(), (Counts{{"running", 1}, {"waiting", 1}}));
  EXPECT_EQ(this->count({.status = {"completed"}}), 0U);
  EXPECT_EQ(this->count({.workflow = "signup"}), 2U);
  EXPECT_TRUE(this->store().check_integrity().empty());
}

REGISTER_TYPED_TEST_SUITE_P(StoreListsContract, PagesInTheReverseOrderOfArrivalAndStaysStableUnderInserts,
                            FiltersByEveryMixOfStatusWorkflowAndUnfinished,
                            FiltersByWhatElseIsKnownOfAnExecution, FindsLabelsByNameAndByValue,
                            SearchesInNamesErrorsLabelsAndIds, CountsUpToALimitWhatIsNotCountedAnyway,
                            CountsFollowEveryChange);

}  // namespace fp::ports

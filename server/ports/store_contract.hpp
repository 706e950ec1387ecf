#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ports/store.hpp"

/// What every storage engine must do, as one typed suite. An engine gives a fixture type with
/// `fp::ports::Store& store()`, `void reopen()` (close in order and open the same data again) and
/// `void damage_blob(const BlobRef&)`, `void lose_blob(const BlobRef&)`, and instantiates StoreContract beside itself.
namespace fp::ports {

inline TimePoint at_ms(std::int64_t ms) { return TimePoint(Milliseconds(1'760'000'000'000 + ms)); }

inline ExecutionId test_id(std::uint32_t number) {
  ExecutionId id;
  for (std::size_t i = 0; i < 4; ++i) id.bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  id.bytes[6] = 0x70;
  return id;
}

inline ExecutionSummary test_summary(std::uint32_t number, std::string status = "running") {
  ExecutionSummary summary;
  summary.id = test_id(number);
  summary.workflow_name = "signup";
  summary.version_hash = "abc";
  summary.status = std::move(status);
  summary.started_at = at_ms(number);
  if (is_terminal_status(summary.status)) summary.completed_at = at_ms(number);
  return summary;
}

inline JournalRow test_row(std::uint64_t first_seq, std::uint32_t count = 1) {
  JournalRow row;
  row.first_seq = first_seq;
  row.count = count;
  row.at = at_ms(static_cast<std::int64_t>(first_seq));
  row.events = "[\"event " + std::to_string(first_seq) + "\"]";
  row.chain = chain_hash({}, row.events);
  return row;
}

inline ExecutionWrite start_write(std::uint32_t number, std::string status = "running") {
  ExecutionWrite write;
  write.id = test_id(number);
  write.row = test_row(1);
  write.summary = test_summary(number, std::move(status));
  return write;
}

inline ExecutionWrite row_write(std::uint32_t number, std::uint64_t first_seq, std::uint32_t count = 1) {
  ExecutionWrite write;
  write.id = test_id(number);
  write.row = test_row(first_seq, count);
  return write;
}

template <class Engine>
class StoreContract : public ::testing::Test {
 protected:
  Store& store() { return engine_.store(); }

  std::vector<WriteOutcome> commit(std::vector<ExecutionWrite> writes) {
    Batch batch;
    batch.fence = fence_;
    batch.executions = std::move(writes);
    return commit(batch);
  }
  std::vector<WriteOutcome> commit(const Batch& batch) {
    auto outcomes = store().commit(batch);
    EXPECT_TRUE(outcomes) << (outcomes ? "" : outcomes.error().message);
    return outcomes ? *outcomes : std::vector<WriteOutcome>{};
  }
  WriteOutcome commit_one(ExecutionWrite write) {
    std::vector<ExecutionWrite> writes;
    writes.push_back(std::move(write));
    return commit(std::move(writes)).at(0);
  }
  PruneResult prune_all(TimePoint ended_before, TimePoint keys_before = {}, std::size_t limit = 100) {
    PruneResult sum;
    for (bool more = true; more;) {
      const auto part = store().prune(ended_before, keys_before, limit);
      sum.executions += part.executions;
      sum.blobs += part.blobs;
      more = part.more;
    }
    return sum;
  }

  Engine engine_;
  Fence fence_;
};

TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, GivesBackWhatOneCommitRecorded) {
  auto write = start_write(1);
  write.summary->labels = JsonObject{{"team", "crm"}};
  write.summary->parent = test_id(7);
  write.summary->retry_of = test_id(8);
  write.summary->error_code = "step.failed";
  write.summary->error_message = "it\xE2\x80\x99s broken";
  write.row->count = 3;
  write.wake_changed = true;
  write.wake_after = at_ms(500);
  EXPECT_EQ(this->commit_one(write), WriteOutcome::committed);
  this->engine_.reopen();

  const auto loaded = this->store().load_execution(test_id(1));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->summary, *write.summary);
  EXPECT_EQ(loaded->rows, std::vector{*write.row});
  EXPECT_EQ(loaded->wake, at_ms(500));
  EXPECT_FALSE(loaded->snapshot);
  EXPECT_EQ(this->store().find_execution(test_id(1)), write.summary);
}

TYPED_TEST_P(StoreContract, KnowsNothingOfWhatWasNeverWritten) {
  EXPECT_FALSE(this->store().load_execution(test_id(1)));
  EXPECT_FALSE(this->store().find_execution(test_id(1)));
  EXPECT_FALSE(this->store().find_version("abc"));
  EXPECT_FALSE(this->store().find_version_by_name("signup"));
  EXPECT_FALSE(this->store().find_idempotency("key"));
  EXPECT_FALSE(this->store().find_next_due({}));
  EXPECT_TRUE(this->store().list_executions({}, std::nullopt, 10).items.empty());
  EXPECT_TRUE(this->store().list_due(at_ms(1'000'000), 10).empty());
  EXPECT_TRUE(this->store().list_inbox(10).empty());
  EXPECT_TRUE(this->store().list_log(test_id(1), 0, 10).empty());
}

TYPED_TEST_P(StoreContract, AppendsOnlyTheRowThatFollows) {
  this->commit_one(start_write(1));
  EXPECT_EQ(this->commit_one(row_write(1, 2, 3)), WriteOutcome::committed);
  EXPECT_EQ(this->commit_one(row_write(1, 2)), WriteOutcome::conflict) << "recorded already";
  EXPECT_EQ(this->commit_one(row_write(1, 4)), WriteOutcome::conflict) << "inside a recorded row";
  EXPECT_EQ(this->commit_one(row_write(1, 6)), WriteOutcome::conflict) << "leaves a gap";
  this->engine_.reopen();
  EXPECT_EQ(this->commit_one(row_write(1, 4)), WriteOutcome::conflict) << "also after a restart";
  EXPECT_EQ(this->commit_one(row_write(1, 5)), WriteOutcome::committed);
  EXPECT_EQ(this->store().load_execution(test_id(1))->rows, (std::vector{test_row(1), test_row(2, 3), test_row(5)}));
}

TYPED_TEST_P(StoreContract, NumbersBeginAtOne) {
  auto write = start_write(1);
  write.row = test_row(2);
  EXPECT_EQ(this->commit_one(write), WriteOutcome::conflict);
  EXPECT_FALSE(this->store().find_execution(test_id(1)));
}

TYPED_TEST_P(StoreContract, AConflictLeavesNoTraceAndTheOthersCommit) {
  this->commit_one(start_write(1));
  this->store();
  Batch batch;
  batch.inbox.push_back({0, test_id(1), "{}", at_ms(1)});
  this->commit(batch);
  const auto number = this->store().list_inbox(1).at(0).number;

  auto bad = row_write(1, 1);
  bad.summary = test_summary(1, "failed");
  bad.wake_changed = true;
  bad.wake_after = at_ms(9);
  bad.snapshot = Snapshot{1, "{}", {}};
  bad.idempotency = IdempotencyEntry{"key", {}, test_id(1), at_ms(1)};
  bad.log_lines = {{"a", -1, 1, {at_ms(1), "info", "text"}}};
  bad.consumed_inbox = {number};
  EXPECT_EQ(this->commit({start_write(2), bad, row_write(1, 2)}),
            (std::vector{WriteOutcome::committed, WriteOutcome::conflict, WriteOutcome::committed}));

  const auto loaded = this->store().load_execution(test_id(1));
  EXPECT_EQ(loaded->summary.status, "running");
  EXPECT_FALSE(loaded->wake);
  EXPECT_FALSE(loaded->snapshot);
  EXPECT_EQ(loaded->rows.size(), 2U);
  EXPECT_FALSE(this->store().find_idempotency("key"));
  EXPECT_TRUE(this->store().list_log(test_id(1), 0, 10).empty());
  EXPECT_EQ(this->store().list_inbox(10).size(), 1U);
  EXPECT_TRUE(this->store().find_execution(test_id(2)));
}

TYPED_TEST_P(StoreContract, OneBatchMayWriteTheSameExecutionTwice) {
  EXPECT_EQ(this->commit({start_write(1), row_write(1, 2), row_write(1, 2)}),
            (std::vector{WriteOutcome::committed, WriteOutcome::committed, WriteOutcome::conflict}));
}

TYPED_TEST_P(StoreContract, RefusesToWriteToAnExecutionThatIsNotThere) {
  EXPECT_EQ(this->commit_one(row_write(1, 1)), WriteOutcome::conflict);
  ExecutionWrite write;
  write.id = test_id(1);
  write.wake_changed = true;
  write.wake_after = at_ms(1);
  EXPECT_EQ(this->commit_one(write), WriteOutcome::conflict);
  EXPECT_FALSE(this->store().find_next_due({}));
}

TYPED_TEST_P(StoreContract, ATerminalStatusIsFinal) {
  this->commit_one(start_write(1));
  auto end = row_write(1, 2);
  end.summary = test_summary(1, "failed");
  EXPECT_EQ(this->commit_one(end), WriteOutcome::committed);
  for (const bool restarted : {false, true}) {
    if (restarted) this->engine_.reopen();
    auto back = row_write(1, 3);
    back.summary = test_summary(1, "running");
    EXPECT_EQ(this->commit_one(back), WriteOutcome::conflict);
    back.summary = test_summary(1, "completed");
    EXPECT_EQ(this->commit_one(back), WriteOutcome::conflict);
  }
  EXPECT_EQ(this->commit_one(row_write(1, 3)), WriteOutcome::committed) << "late results are kept as evidence";
  EXPECT_EQ(this->store().find_execution(test_id(1))->status, "failed");
}

TYPED_TEST_P(StoreContract, ALaterSummaryChangesOnlyWhatMayChange) {
  this->commit_one(start_write(1));
  ExecutionWrite write;
  write.id = test_id(1);
  write.summary = test_summary(1, "failed");
  write.summary->workflow_name = "other";
  write.summary->version_hash = "def";
  write.summary->trigger = "webhook";
  write.summary->error_code = "code";
  write.summary->labels = JsonObject{{"a", 1}};
  EXPECT_EQ(this->commit_one(write), WriteOutcome::committed);
  auto expected = *write.summary;
  expected.workflow_name = "signup";
  expected.version_hash = "abc";
  expected.trigger = "manual";
  EXPECT_EQ(this->store().find_execution(test_id(1)), expected);
}

TYPED_TEST_P(StoreContract, AnOldOwnerIsFenced) {
  const auto old_owner = this->store().claim_shard(3, "a");
  const auto new_owner = this->store().claim_shard(3, "b");
  EXPECT_GT(new_owner.epoch, old_owner.epoch);
  EXPECT_EQ(new_owner.shard, 3U);
  Batch batch;
  batch.fence = old_owner;
  batch.executions = {start_write(1)};
  batch.inbox.push_back({0, test_id(1), "{}", at_ms(1)});
  batch.versions.push_back({"hash", "name", "{}", at_ms(1)});
  const auto refused = this->store().commit(batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "storage.fenced");
  EXPECT_FALSE(this->store().find_execution(test_id(1)));
  EXPECT_TRUE(this->store().list_inbox(10).empty());
  EXPECT_FALSE(this->store().find_version("hash"));

  this->engine_.reopen();
  batch.fence = new_owner;
  EXPECT_TRUE(this->store().commit(batch)) << "the epoch is durable";
  EXPECT_GT(this->store().claim_shard(3, "c").epoch, new_owner.epoch);
}

TYPED_TEST_P(StoreContract, AnEpochFromTheFutureIsFencedToo) {
  auto fence = this->store().claim_shard(0, "a");
  ++fence.epoch;  // the data was replaced by an older copy
  Batch batch;
  batch.fence = fence;
  EXPECT_FALSE(this->store().commit(batch));
}

TYPED_TEST_P(StoreContract, LoadsTheSnapshotAndOnlyTheRowsAfterIt) {
  this->commit_one(start_write(1));
  auto write = row_write(1, 2, 2);
  write.snapshot = Snapshot{3, "{\"folded\":3}", write.row->chain};
  this->commit_one(write);
  this->commit_one(row_write(1, 4));
  auto loaded = this->store().load_execution(test_id(1));
  EXPECT_EQ(loaded->snapshot, write.snapshot);
  EXPECT_EQ(loaded->rows, std::vector{test_row(4)});

  loaded = this->store().load_execution(test_id(1), true);
  EXPECT_FALSE(loaded->snapshot);
  EXPECT_EQ(loaded->rows.size(), 3U);

  write = row_write(1, 5);
  write.snapshot = Snapshot{5, "{\"folded\":5}", write.row->chain};
  this->commit_one(write);
  loaded = this->store().load_execution(test_id(1));
  EXPECT_EQ(loaded->snapshot, write.snapshot);
  EXPECT_TRUE(loaded->rows.empty());
}

TYPED_TEST_P(StoreContract, StoresAVersionOnceAndFindsTheNewestOfAName) {
  Batch batch;
  batch.versions = {{"h1", "signup", "{1}", at_ms(1)}, {"h2", "signup", "{2}", at_ms(2)}, {"h3", "other", "{}", at_ms(9)}};
  this->commit(batch);
  batch.versions = {{"h1", "signup", "changed", at_ms(7)}};
  this->commit(batch);
  EXPECT_EQ(this->store().find_version("h1"), (WorkflowVersion{"h1", "signup", "{1}", at_ms(1)}));
  EXPECT_EQ(this->store().find_version_by_name("signup")->hash, "h2");
  batch.versions = {{"h4", "signup", "{4}", at_ms(2)}};
  this->commit(batch);
  EXPECT_EQ(this->store().find_version_by_name("signup")->hash, "h4") << "of two made at once the later arrival";
}

TYPED_TEST_P(StoreContract, PagesNewestFirstAndStaysStableUnderInserts) {
  std::vector<ExecutionWrite> writes;
  for (std::uint32_t i = 1; i <= 9; ++i) writes.push_back(start_write(10 * i));
  this->commit(std::move(writes));

  auto page = this->store().list_executions({}, std::nullopt, 4);
  ASSERT_EQ(page.items.size(), 4U);
  EXPECT_EQ(page.items[0].id, test_id(90));
  EXPECT_EQ(page.next, test_id(60));
  this->commit({start_write(100), start_write(75)});
  page = this->store().list_executions({}, page.next, 5);
  ASSERT_EQ(page.items.size(), 5U);
  EXPECT_EQ(page.items[0].id, test_id(50));
  EXPECT_EQ(page.items[4].id, test_id(10));
  EXPECT_FALSE(page.next) << "a full last page says that it is the last";
}

TYPED_TEST_P(StoreContract, FiltersByEveryMixOfStatusNameAndUnfinished) {
  const std::vector<std::string> statuses = {"pending", "running", "waiting", "paused", "completed", "failed", "cancelled"};
  std::vector<ExecutionWrite> writes;
  for (std::uint32_t i = 1; i <= 42; ++i) {
    writes.push_back(start_write(i, statuses[i % statuses.size()]));
    writes.back().summary->workflow_name = i % 2 ? "odd" : "even";
  }
  this->commit(std::move(writes));
  const auto count = [&](const ExecutionFilter& filter) {
    std::set<ExecutionId> seen;
    std::optional<ExecutionId> after;
    do {
      const auto page = this->store().list_executions(filter, after, 5);
      for (const auto& item : page.items) {
        EXPECT_TRUE(!after || item.id < *after);
        after = item.id;
        seen.insert(item.id);
        EXPECT_TRUE(!filter.unfinished_only || !is_terminal_status(item.status));
        EXPECT_EQ(filter.status.value_or(item.status), item.status);
        EXPECT_EQ(filter.workflow_name.value_or(item.workflow_name), item.workflow_name);
      }
      after = page.next;
    } while (after);
    return seen.size();
  };
  EXPECT_EQ(count({}), 42U);
  EXPECT_EQ(count({std::nullopt, "odd", false}), 21U);
  EXPECT_EQ(count({std::nullopt, std::nullopt, true}), 24U);
  EXPECT_EQ(count({std::nullopt, "even", true}), 12U);
  EXPECT_EQ(count({std::nullopt, "none", false}), 0U);
  for (const auto& status : statuses) {
    EXPECT_EQ(count({status, std::nullopt, false}), 6U) << status;
    EXPECT_EQ(count({status, "odd", false}), 3U) << status;
    EXPECT_EQ(count({status, std::nullopt, true}), is_terminal_status(status) ? 0U : 6U) << status;
    EXPECT_EQ(count({status, "odd", true}), is_terminal_status(status) ? 0U : 3U) << status;
  }
}

TYPED_TEST_P(StoreContract, WakeUpsComeEarliestFirstAndEachExecutionHasOne) {
  std::vector<ExecutionWrite> writes;
  for (const auto& [number, due] : std::vector<std::pair<std::uint32_t, int>>{{5, 30}, {4, 10}, {9, 20}, {3, 20}}) {
    writes.push_back(start_write(number));
    writes.back().wake_changed = true;
    writes.back().wake_after = at_ms(due);
  }
  this->commit(std::move(writes));
  EXPECT_EQ(this->store().list_due(at_ms(20), 10),
            (std::vector<DueExecution>{{test_id(4), at_ms(10)}, {test_id(9), at_ms(20)}, {test_id(3), at_ms(20)}}));
  EXPECT_EQ(this->store().list_due(at_ms(99), 1).size(), 1U);
  EXPECT_TRUE(this->store().list_due(at_ms(9), 10).empty());
  EXPECT_EQ(this->store().find_next_due(at_ms(10)), at_ms(20));
  EXPECT_FALSE(this->store().find_next_due(at_ms(30)));

  ExecutionWrite move;
  move.id = test_id(4);
  move.wake_changed = true;
  move.wake_before = at_ms(12345);  // only a hint
  move.wake_after = at_ms(40);
  ExecutionWrite clear;
  clear.id = test_id(9);
  clear.wake_changed = true;
  clear.wake_before = at_ms(20);
  ExecutionWrite untouched;
  untouched.id = test_id(3);
  this->commit({move, clear, untouched});
  EXPECT_EQ(this->store().list_due(at_ms(99), 10),
            (std::vector<DueExecution>{{test_id(3), at_ms(20)}, {test_id(5), at_ms(30)}, {test_id(4), at_ms(40)}}));
  EXPECT_FALSE(this->store().load_execution(test_id(9))->wake);
}

TYPED_TEST_P(StoreContract, AnIdempotencyKeyIsGivenOnce) {
  auto first = start_write(1);
  first.idempotency = IdempotencyEntry{"key", hash_256("request"), test_id(1), at_ms(1)};
  auto second = start_write(2);
  second.idempotency = IdempotencyEntry{"key", hash_256("other"), test_id(2), at_ms(2)};
  EXPECT_EQ(this->commit({first, second, start_write(3)}),
            (std::vector{WriteOutcome::committed, WriteOutcome::duplicate_key, WriteOutcome::committed}));
  EXPECT_FALSE(this->store().find_execution(test_id(2)));
  EXPECT_EQ(this->commit_one(second), WriteOutcome::duplicate_key);
  EXPECT_EQ(this->commit_one(first), WriteOutcome::duplicate_key) << "a retry hears of the key, not of the conflict";
  EXPECT_EQ(this->store().find_idempotency("key"), first.idempotency);
}

TYPED_TEST_P(StoreContract, TheInboxKeepsInputsUntilTheyAreConsumed) {
  Batch batch;
  batch.inbox = {{99, test_id(1), "{\"a\":1}", at_ms(1)}, {99, test_id(2), "{\"b\":2}", at_ms(2)}};
  batch.executions = {start_write(1)};
  this->commit(batch);
  auto entries = this->store().list_inbox(10);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].input, "{\"a\":1}");
  EXPECT_EQ(entries[1].execution, test_id(2));
  EXPECT_LT(entries[0].number, entries[1].number);
  EXPECT_EQ(this->store().list_inbox(1).size(), 1U);

  auto consume = row_write(1, 2);
  consume.consumed_inbox = {entries[0].number, entries[1].number};
  this->commit_one(consume);
  EXPECT_TRUE(this->store().list_inbox(10).empty());
  this->engine_.reopen();
  batch.executions.clear();
  this->commit(batch);
  EXPECT_GT(this->store().list_inbox(10).at(0).number, entries[1].number) << "numbers are never used again";
}

TYPED_TEST_P(StoreContract, LogLinesKeepTheirOrderAndPage) {
  auto first = start_write(1);
  first.log_lines = {{"fetch", -1, 1, {at_ms(1), "info", "one \xF0\x9F\x98\x80 \"quoted\""}},
                     {"fetch", 3, 2, {at_ms(2), "error", std::string("nul \0 inside", 12)}}};
  auto second = row_write(1, 2);
  second.log_lines = {{"send", -1, 1, {at_ms(3), "debug", "three"}}};
  this->commit({first, second});
  auto all = first.log_lines;
  all.push_back(second.log_lines[0]);
  EXPECT_EQ(this->store().list_log(test_id(1), 0, 10), all);
  EXPECT_EQ(this->store().list_log(test_id(1), 1, 1), std::vector{all[1]});
  EXPECT_EQ(this->store().list_log(test_id(1), 1, 5), (std::vector{all[1], all[2]}));
  EXPECT_EQ(this->store().list_log(test_id(1), 2, 5), std::vector{all[2]});
  EXPECT_TRUE(this->store().list_log(test_id(1), 3, 5).empty());
}

TYPED_TEST_P(StoreContract, ABlobComesBackWholeAndIsStoredOnce) {
  const std::string bytes(100'000, 'x');
  const auto ref = this->store().put_blob(bytes);
  EXPECT_EQ(ref.size, bytes.size());
  EXPECT_EQ(ref.hash, to_hex(hash_256(bytes)));
  EXPECT_EQ(this->store().put_blob(bytes), ref);
  this->engine_.reopen();
  EXPECT_EQ(*this->store().load_blob(ref), bytes);
  EXPECT_EQ(*this->store().load_blob(this->store().put_blob("")), "");
}

TYPED_TEST_P(StoreContract, ALostOrDamagedBlobIsNamedAndNeverReturned) {
  const auto ref = this->store().put_blob("the bytes");
  this->engine_.damage_blob(ref);
  auto loaded = this->store().load_blob(ref);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, "blob.corrupt");
  EXPECT_NE(loaded.error().message.find(ref.hash), std::string::npos);
  this->engine_.lose_blob(ref);
  loaded = this->store().load_blob(ref);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, "blob.missing");
  EXPECT_EQ(this->store().put_blob("the bytes"), ref);
  EXPECT_TRUE(this->store().load_blob(ref)) << "putting the bytes again heals";
}

TYPED_TEST_P(StoreContract, PruneTakesTheOldestEndedFirstAndNeverTheUnfinished) {
  std::vector<ExecutionWrite> writes;
  for (std::uint32_t i = 1; i <= 10; ++i) {
    writes.push_back(start_write(i, i % 2 ? "completed" : "running"));
    writes.back().wake_changed = true;
    writes.back().wake_after = at_ms(i);
    writes.back().log_lines = {{"a", -1, 1, {at_ms(1), "info", "text"}}};
    if (i == 1) writes.back().summary->completed_at = at_ms(8);
  }
  Batch batch;
  batch.executions = std::move(writes);
  batch.inbox = {{0, test_id(3), "{}", at_ms(1)}, {0, test_id(4), "{}", at_ms(1)}};
  this->commit(batch);

  auto pruned = this->store().prune(at_ms(9), {}, 2);
  EXPECT_EQ(pruned.executions, 2U);
  EXPECT_TRUE(pruned.more);
  EXPECT_FALSE(this->store().find_execution(test_id(3)));
  EXPECT_FALSE(this->store().find_execution(test_id(5)));
  EXPECT_TRUE(this->store().find_execution(test_id(1))) << "it ended later than 3 and 5";
  EXPECT_EQ(this->prune_all(at_ms(9)).executions, 2U);
  EXPECT_TRUE(this->store().find_execution(test_id(9))) << "ended at the bound, not before it";
  EXPECT_EQ(this->store().list_executions({std::nullopt, std::nullopt, true}, std::nullopt, 10).items.size(), 5U);
  EXPECT_EQ(this->store().list_due(at_ms(99), 99).size(), 6U);
  EXPECT_TRUE(this->store().list_log(test_id(3), 0, 9).empty());
  EXPECT_FALSE(this->store().list_log(test_id(4), 0, 9).empty());
  EXPECT_EQ(this->store().list_inbox(9).size(), 1U);
  EXPECT_TRUE(this->store().check_integrity().empty());

  EXPECT_EQ(this->commit_one(row_write(3, 2)), WriteOutcome::conflict) << "what was pruned is gone";
  EXPECT_EQ(this->commit_one(start_write(3)), WriteOutcome::committed);
}

TYPED_TEST_P(StoreContract, PruneForgetsOldKeys) {
  auto old_key = start_write(1);
  old_key.idempotency = IdempotencyEntry{"old", {}, test_id(1), at_ms(1)};
  auto new_key = start_write(2);
  new_key.idempotency = IdempotencyEntry{"new", {}, test_id(2), at_ms(5)};
  this->commit({old_key, new_key});
  this->prune_all({}, at_ms(5));
  EXPECT_FALSE(this->store().find_idempotency("old"));
  EXPECT_TRUE(this->store().find_idempotency("new"));
}

TYPED_TEST_P(StoreContract, PruneCollectsABlobWithItsLastExecution) {
  const auto shared = this->store().put_blob("shared");
  const auto own = this->store().put_blob("own");
  auto a = start_write(1, "completed");
  a.blobs = {shared, own};
  auto b = start_write(2);
  b.blobs = {shared, shared};
  this->commit({a, b});
  EXPECT_EQ(this->prune_all(at_ms(100)).blobs, 1U);
  EXPECT_TRUE(this->store().load_blob(shared));
  EXPECT_FALSE(this->store().load_blob(own));
}

TYPED_TEST_P(StoreContract, ABlobBetweenPutAndCommitSurvivesAPrune) {
  const auto ref = this->store().put_blob("about to be committed");
  EXPECT_EQ(this->prune_all({}).blobs, 0U);
  auto write = start_write(1);
  write.blobs = {ref};
  this->commit_one(write);
  for (int sweep = 0; sweep < 4; ++sweep) EXPECT_EQ(this->prune_all({}).blobs, 0U);
  EXPECT_TRUE(this->store().load_blob(ref));

  const auto orphan = this->store().put_blob("never committed");
  std::size_t collected = 0;
  for (int sweep = 0; sweep < 4; ++sweep) collected += this->prune_all({}).blobs;
  EXPECT_EQ(collected, 1U);
  EXPECT_FALSE(this->store().load_blob(orphan));
}

TYPED_TEST_P(StoreContract, ReadersSeeWholeCommitsWhileTheWriterWrites) {
  this->commit_one(start_write(1));
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::thread reader([&] {
    while (!done) {
      const auto loaded = this->store().load_execution(test_id(1));
      const auto last = loaded->rows.back().first_seq;
      if (loaded->rows.size() != last || loaded->wake.value_or(at_ms(1)) != at_ms(static_cast<std::int64_t>(last))) ++torn;
      this->store().list_executions({}, std::nullopt, 5);
      this->store().list_due(at_ms(1000), 5);
    }
  });
  for (std::uint64_t seq = 2; seq <= 200; ++seq) {
    auto write = row_write(1, seq);
    write.wake_changed = true;
    write.wake_after = at_ms(static_cast<std::int64_t>(seq));
    ASSERT_EQ(this->commit_one(write), WriteOutcome::committed);
    if (seq % 50 == 0) this->store().prune(at_ms(0), {}, 10);
  }
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract, GivesBackWhatOneCommitRecorded, KnowsNothingOfWhatWasNeverWritten,
                            AppendsOnlyTheRowThatFollows, NumbersBeginAtOne, AConflictLeavesNoTraceAndTheOthersCommit,
                            OneBatchMayWriteTheSameExecutionTwice, RefusesToWriteToAnExecutionThatIsNotThere,
                            ATerminalStatusIsFinal, ALaterSummaryChangesOnlyWhatMayChange, AnOldOwnerIsFenced,
                            AnEpochFromTheFutureIsFencedToo, LoadsTheSnapshotAndOnlyTheRowsAfterIt,
                            StoresAVersionOnceAndFindsTheNewestOfAName, PagesNewestFirstAndStaysStableUnderInserts,
                            FiltersByEveryMixOfStatusNameAndUnfinished,
                            WakeUpsComeEarliestFirstAndEachExecutionHasOne, AnIdempotencyKeyIsGivenOnce,
                            TheInboxKeepsInputsUntilTheyAreConsumed, LogLinesKeepTheirOrderAndPage,
                            ABlobComesBackWholeAndIsStoredOnce, ALostOrDamagedBlobIsNamedAndNeverReturned,
                            PruneTakesTheOldestEndedFirstAndNeverTheUnfinished, PruneForgetsOldKeys,
                            PruneCollectsABlobWithItsLastExecution, ABlobBetweenPutAndCommitSurvivesAPrune,
                            ReadersSeeWholeCommitsWhileTheWriterWrites);

}  // namespace fp::ports

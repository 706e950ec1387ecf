#pragma once

#include "ports/store_samples.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

/// What every storage engine must do when it records and reads. An engine instantiates this suite and that of
/// store_upkeep_contract.hpp beside itself, with an engine type as store_samples.hpp wants it.
namespace fp::ports {

template <class Engine>
class StoreContract : public StoreFixture<Engine> {};
TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, GivesBackWhatOneCommitRecorded) {
  auto write = start_write(1);
  write.summary->labels = JsonObject{{"team", "crm"}};
  write.summary->parent = test_id(7);
  write.summary->retry_of = test_id(8);
  write.summary->error_code = "step.failed";
  write.summary->error_message = "it\xE2\x80\x99s broken";
  write.summary->workflow = test_workflow_id(5);
  write.summary->workflow_version = 3;
  write.summary->keep_until = at_ms(7);
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
  EXPECT_TRUE(this->store().list_log(test_id(1), {}, 10).lines.empty());
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
  EXPECT_EQ(this->store().load_execution(test_id(1))->rows,
            (std::vector{test_row(1), test_row(2, 3), test_row(5)}));
}

TYPED_TEST_P(StoreContract, NumbersBeginAtOne) {
  auto write = start_write(1);
  write.row = test_row(2);
  EXPECT_EQ(this->commit_one(write), WriteOutcome::conflict);
  EXPECT_FALSE(this->store().find_execution(test_id(1)));
}

TYPED_TEST_P(StoreContract, AConflictLeavesNoTraceAndTheOthersCommit) {
  this->commit_one(start_write(1));
  Batch batch;
  batch.inbox.push_back({0, test_id(1), "{}", at_ms(1)});
  this->commit(batch);
  const auto number = this->store().list_inbox(1).at(0).number;

  auto bad = row_write(1, 1);
  bad.summary = test_summary(1, "failed");
  bad.wake_changed = true;
  bad.wake_after = at_ms(9);
  bad.snapshot = Snapshot{1, "{}", {}};
  bad.idempotency = test_key("key", 1);
  bad.log_lines = {test_line("text")};
  bad.consumed_inbox = {number};
  EXPECT_EQ(this->commit({start_write(2), bad, row_write(1, 2)}),
            (std::vector{WriteOutcome::committed, WriteOutcome::conflict, WriteOutcome::committed}));

  const auto loaded = this->store().load_execution(test_id(1));
  EXPECT_EQ(loaded->summary.status, "running");
  EXPECT_FALSE(loaded->wake);
  EXPECT_FALSE(loaded->snapshot);
  EXPECT_EQ(loaded->rows.size(), 2U);
  EXPECT_FALSE(this->store().find_idempotency("key"));
  EXPECT_TRUE(this->store().list_log(test_id(1), {}, 10).lines.empty());
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
  EXPECT_EQ(this->commit_one(row_write(1, 3)), WriteOutcome::committed)
      << "late results are kept as evidence";
  EXPECT_EQ(this->store().find_execution(test_id(1))->status, "failed");
}

TYPED_TEST_P(StoreContract, OnlyAHigherRoundReopensAFailedExecution) {
  this->commit({start_write(1, "failed"), start_write(2, "completed"), start_write(3, "cancelled")});
  for (const bool restarted : {false, true}) {
    if (restarted) this->engine_.reopen();
    for (const std::uint32_t number : {2U, 3U}) {
      auto reopened = row_write(number, 2);
      reopened.summary = test_summary(number, "running");
      reopened.summary->round = 5;
      EXPECT_EQ(this->commit_one(reopened), WriteOutcome::conflict) << number;
    }
  }
  auto reopened = row_write(1, 2);
  reopened.summary = test_summary(1, "running");
  EXPECT_EQ(this->commit_one(reopened), WriteOutcome::conflict);
  reopened.summary->round = 1;
  EXPECT_EQ(this->commit_one(reopened), WriteOutcome::committed);
  EXPECT_EQ(this->store().find_execution(test_id(1)), reopened.summary);
  EXPECT_EQ(this->prune_all(at_ms(1000)).executions, 2U) << "it is unfinished again";

  auto failed = row_write(1, 3);
  failed.summary = test_summary(1, "failed");
  failed.summary->round = 1;
  EXPECT_EQ(this->commit_one(failed), WriteOutcome::committed);
  reopened.row = test_row(4);
  EXPECT_EQ(this->commit_one(reopened), WriteOutcome::conflict) << "the round must rise again";
}

TYPED_TEST_P(StoreContract, ALaterSummaryChangesOnlyWhatMayChange) {
  this->commit_one(start_write(1));
  ExecutionWrite write;
  write.id = test_id(1);
  write.summary = test_summary(1, "failed");
  write.summary->workflow_name = "other";
  write.summary->version_hash = "def";
  write.summary->trigger = "webhook";
  write.summary->workflow = test_workflow_id(1);
  write.summary->workflow_version = 9;
  write.summary->keep_until = at_ms(9);
  write.summary->error_code = "code";
  write.summary->labels = JsonObject{{"a", 1}};
  EXPECT_EQ(this->commit_one(write), WriteOutcome::committed);
  auto expected = *write.summary;
  expected.workflow_name = "signup";
  expected.version_hash = "abc";
  expected.trigger = "manual";
  expected.workflow.reset();
  expected.workflow_version = 0;
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

TYPED_TEST_P(StoreContract, WakeUpsComeEarliestFirstAndEachExecutionHasOne) {
  std::vector<ExecutionWrite> writes;
  for (const auto& [number, due] :
       std::vector<std::pair<std::uint32_t, int>>{{5, 30}, {4, 10}, {9, 20}, {3, 20}}) {
    writes.push_back(start_write(number));
    writes.back().wake_changed = true;
    writes.back().wake_after = at_ms(due);
  }
  this->commit(std::move(writes));
  EXPECT_EQ(
      this->store().list_due(at_ms(20), 10),
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
  EXPECT_EQ(
      this->store().list_due(at_ms(99), 10),
      (std::vector<DueExecution>{{test_id(3), at_ms(20)}, {test_id(5), at_ms(30)}, {test_id(4), at_ms(40)}}));
  EXPECT_FALSE(this->store().load_execution(test_id(9))->wake);
}

TYPED_TEST_P(StoreContract, AnIdempotencyKeyIsGivenOnce) {
  auto first = start_write(1);
  first.idempotency = test_key("key", 1);
  auto second = start_write(2);
  second.idempotency = test_key("key", 2);
  EXPECT_EQ(this->commit({first, second, start_write(3)}),
            (std::vector{WriteOutcome::committed, WriteOutcome::duplicate_key, WriteOutcome::committed}));
  EXPECT_FALSE(this->store().find_execution(test_id(2)));
  EXPECT_EQ(this->commit_one(second), WriteOutcome::duplicate_key);
  EXPECT_EQ(this->commit_one(first), WriteOutcome::duplicate_key)
      << "a retry hears of the key, not of the conflict";
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

TYPED_TEST_P(StoreContract, AWriteThatGoesWithAnotherIsLeftOutWithIt) {
  auto first = start_write(1);
  first.idempotency = test_key("key", 1);
  this->commit_one(first);
  auto again = start_write(2);
  again.idempotency = first.idempotency;
  auto child = start_write(3);
  auto brother = start_write(4);
  child.with_previous = brother.with_previous = true;
  EXPECT_EQ(this->commit({again, child, brother, start_write(5)}),
            (std::vector{WriteOutcome::duplicate_key, WriteOutcome::conflict, WriteOutcome::conflict,
                         WriteOutcome::committed}));
  EXPECT_FALSE(this->store().find_execution(test_id(3)));
  EXPECT_EQ(this->commit({start_write(6), child, child, brother}),
            (std::vector{WriteOutcome::committed, WriteOutcome::committed, WriteOutcome::conflict,
                         WriteOutcome::committed}))
      << "a child that is there already does not keep its brothers out";
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract, GivesBackWhatOneCommitRecorded, KnowsNothingOfWhatWasNeverWritten,
                            AppendsOnlyTheRowThatFollows, NumbersBeginAtOne,
                            AConflictLeavesNoTraceAndTheOthersCommit, OneBatchMayWriteTheSameExecutionTwice,
                            RefusesToWriteToAnExecutionThatIsNotThere, ATerminalStatusIsFinal,
                            OnlyAHigherRoundReopensAFailedExecution, ALaterSummaryChangesOnlyWhatMayChange,
                            AnOldOwnerIsFenced, AnEpochFromTheFutureIsFencedToo,
                            LoadsTheSnapshotAndOnlyTheRowsAfterIt,
                            WakeUpsComeEarliestFirstAndEachExecutionHasOne, AnIdempotencyKeyIsGivenOnce,
                            TheInboxKeepsInputsUntilTheyAreConsumed,
                            AWriteThatGoesWithAnotherIsLeftOutWithIt);

}  // namespace fp::ports

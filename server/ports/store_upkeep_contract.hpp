#pragma once

#include "ports/store_samples.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

/// What every storage engine must do with large values and what is no longer needed, and while others read.
namespace fp::ports {

template <class Engine>
class StoreUpkeepContract : public StoreFixture<Engine> {};
TYPED_TEST_SUITE_P(StoreUpkeepContract);

TYPED_TEST_P(StoreUpkeepContract, ABlobComesBackWholeAndIsStoredOnce) {
  const std::string bytes(100'000, 'x');
  const auto ref = this->store().put_blob(bytes);
  EXPECT_EQ(ref.size, bytes.size());
  EXPECT_EQ(ref.hash, to_hex(hash_256(bytes)));
  EXPECT_EQ(this->store().put_blob(bytes), ref);
  this->engine_.reopen();
  EXPECT_EQ(*this->store().load_blob(ref), bytes);
  EXPECT_EQ(*this->store().load_blob(this->store().put_blob("")), "");
}

TYPED_TEST_P(StoreUpkeepContract, ALostOrDamagedBlobIsNamedAndNeverReturned) {
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

TYPED_TEST_P(StoreUpkeepContract, PruneTakesTheOldestEndedFirstAndNeverTheUnfinished) {
  std::vector<ExecutionWrite> writes;
  for (std::uint32_t i = 1; i <= 10; ++i) {
    writes.push_back(start_write(i, i % 2 ? "completed" : "running"));
    writes.back().wake_changed = true;
    writes.back().wake_after = at_ms(i);
    writes.back().log_lines = {test_line("text")};
    if (i == 1) writes.back().summary->completed_at = at_ms(8);
    if (i == 2) writes.back().summary->completed_at = at_ms(2);  // nonsense, but its status decides
  }
  Batch batch;
  batch.executions = std::move(writes);
  batch.inbox = {{0, test_id(3), "{}", at_ms(1)}, {0, test_id(4), "{}", at_ms(1)}};
  this->commit(batch);

  auto pruned = this->store().prune({}, at_ms(9), {}, 2);
  EXPECT_EQ(pruned.executions, 2U);
  EXPECT_TRUE(pruned.more);
  EXPECT_FALSE(this->store().find_execution(test_id(3)));
  EXPECT_FALSE(this->store().find_execution(test_id(5)));
  EXPECT_TRUE(this->store().find_execution(test_id(1))) << "it ended later than 3 and 5";
  EXPECT_EQ(this->prune_all(at_ms(9)).executions, 2U);
  EXPECT_TRUE(this->store().find_execution(test_id(9))) << "ended at the bound, not before it";
  EXPECT_EQ(this->store().list_executions({.unfinished_only = true}, std::nullopt, 10).items.size(), 5U);
  EXPECT_EQ(this->store().list_due(at_ms(99), 99).size(), 6U);
  EXPECT_TRUE(this->store().list_log(test_id(3), {}, 9).lines.empty());
  EXPECT_FALSE(this->store().list_log(test_id(4), {}, 9).lines.empty());
  EXPECT_EQ(this->store().list_inbox(9).size(), 1U);
  EXPECT_TRUE(this->store().check_integrity().empty());

  EXPECT_EQ(this->commit_one(row_write(3, 2)), WriteOutcome::conflict) << "what was pruned is gone";
  EXPECT_EQ(this->commit_one(start_write(3)), WriteOutcome::committed);
}

TYPED_TEST_P(StoreUpkeepContract, AnExecutionWithATimeOfItsOwnIsKeptUntilThen) {
  std::vector<ExecutionWrite> writes;
  for (std::uint32_t i = 1; i <= 6; ++i) {
    writes.push_back(start_write(i, i == 6 ? "running" : "completed"));
    writes.back().summary->completed_at = at_ms(1);
    if (i >= 3) writes.back().summary->keep_until = at_ms(i * 10);
  }
  this->commit(std::move(writes));
  EXPECT_EQ(this->prune_all(at_ms(100), {}, at_ms(40)).executions, 3U);
  for (const std::uint32_t gone : {1U, 2U, 3U}) EXPECT_FALSE(this->store().find_execution(test_id(gone)));
  EXPECT_TRUE(this->store().find_execution(test_id(4))) << "kept until that time itself";
  EXPECT_TRUE(this->store().find_execution(test_id(5))) << "although it ended long ago";
  EXPECT_EQ(this->prune_all({}, {}, at_ms(100)).executions, 2U) << "also when nothing else is old enough";
  EXPECT_TRUE(this->store().find_execution(test_id(6))) << "unfinished ones stay, whatever they say";
  EXPECT_EQ(this->store().count_by_status(), (std::map<std::string, std::uint64_t>{{"running", 1}}));

  auto end = row_write(6, 2);
  end.summary = test_summary(6, "failed");
  this->commit_one(end);
  EXPECT_EQ(this->prune_all(at_ms(100)).executions, 1U) << "a later summary may take the time back";
}

TYPED_TEST_P(StoreUpkeepContract, PruneForgetsOldKeys) {
  auto old_key = start_write(1);
  old_key.idempotency = test_key("old", 1, 1);
  auto new_key = start_write(2);
  new_key.idempotency = test_key("new", 2, 5);
  this->commit({old_key, new_key});
  this->prune_all({}, at_ms(5));
  EXPECT_FALSE(this->store().find_idempotency("old"));
  EXPECT_TRUE(this->store().find_idempotency("new"));
}

TYPED_TEST_P(StoreUpkeepContract, PruneCollectsABlobWithItsLastExecution) {
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

TYPED_TEST_P(StoreUpkeepContract, ABlobBetweenPutAndCommitSurvivesAPrune) {
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

TYPED_TEST_P(StoreUpkeepContract, ReadersSeeWholeCommitsWhileTheWriterWrites) {
  this->commit_one(start_write(1));
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::thread reader([&] {
    while (!done) {
      const auto loaded = this->store().load_execution(test_id(1));
      const auto last = loaded->rows.back().first_seq;
      if (loaded->rows.size() != last ||
          loaded->wake.value_or(at_ms(1)) != at_ms(static_cast<std::int64_t>(last)))
        ++torn;
      this->store().list_executions({}, std::nullopt, 5);
      this->store().list_due(at_ms(1000), 5);
    }
  });
  for (std::uint64_t seq = 2; seq <= 200; ++seq) {
    auto write = row_write(1, seq);
    write.wake_changed = true;
    write.wake_after = at_ms(static_cast<std::int64_t>(seq));
    ASSERT_EQ(this->commit_one(write), WriteOutcome::committed);
    if (seq % 50 == 0) this->store().prune({}, at_ms(0), {}, 10);
  }
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

REGISTER_TYPED_TEST_SUITE_P(StoreUpkeepContract, ABlobComesBackWholeAndIsStoredOnce,
                            ALostOrDamagedBlobIsNamedAndNeverReturned,
                            PruneTakesTheOldestEndedFirstAndNeverTheUnfinished,
                            AnExecutionWithATimeOfItsOwnIsKeptUntilThen, PruneForgetsOldKeys,
                            PruneCollectsABlobWithItsLastExecution, ABlobBetweenPutAndCommitSurvivesAPrune,
                            ReadersSeeWholeCommitsWhileTheWriterWrites);

}  // namespace fp::ports

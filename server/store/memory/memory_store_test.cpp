#include "store/memory/memory_store.hpp"

#include "base/error_code.hpp"
#include "ports/store_contract.hpp"
#include "ports/store_events_contract.hpp"
#include "ports/store_history_contract.hpp"
#include "ports/store_lists_contract.hpp"
#include "ports/store_triggers_contract.hpp"
#include "ports/store_upkeep_contract.hpp"
#include "ports/store_workflows_contract.hpp"

#include <gtest/gtest.h>

namespace fp::store {
namespace {

using namespace fp::ports;

class MemoryEngine {
 public:
  Store& store() { return *store_; }
  void reopen() { store_ = std::make_unique<MemoryStore>(disk_); }
  void damage_blob(const BlobRef& ref) {
    disk_->state().with([&](MemoryState& state) { state.blobs.at(ref.hash)[0] ^= 1; });
  }
  void lose_blob(const BlobRef& ref) {
    disk_->state().with([&](MemoryState& state) { state.blobs.erase(ref.hash); });
  }

 private:
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::unique_ptr<Store> store_ = std::make_unique<MemoryStore>(disk_);
};

}  // namespace
}  // namespace fp::store

namespace fp::ports {
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreContract, fp::store::MemoryEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreListsContract, fp::store::MemoryEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreHistoryContract, fp::store::MemoryEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreWorkflowsContract, fp::store::MemoryEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreEventsContract, fp::store::MemoryEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreTriggersContract, fp::store::MemoryEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreUpkeepContract, fp::store::MemoryEngine);
}  // namespace fp::ports

namespace fp::store {
namespace {

Batch start_batch(std::uint32_t number) {
  Batch batch;
  batch.executions = {start_write(number)};
  return batch;
}

CommitHook fail_at(CommitPhase phase) {
  return [phase](CommitPhase now, const Batch&) {
    if (now == phase) throw Unavailable(Error(codes::storage_io, "injected"));
  };
}

TEST(MemoryStore, ACommitThatFailsBeforeTheDiskIsNotWritten) {
  const auto disk = std::make_shared<MemoryDisk>();
  MemoryStore store(disk, fail_at(CommitPhase::before));
  EXPECT_THROW((void)store.commit(start_batch(1)), Unavailable);
  EXPECT_FALSE(MemoryStore(disk).find_execution(test_id(1)));
}

TEST(MemoryStore, ACommitWhoseAcknowledgementIsLostIsWritten) {
  const auto disk = std::make_shared<MemoryDisk>();
  MemoryStore store(disk, fail_at(CommitPhase::after));
  EXPECT_THROW((void)store.commit(start_batch(1)), Unavailable);
  EXPECT_TRUE(MemoryStore(disk).find_execution(test_id(1)));
}

TEST(MemoryStore, AcceptsNothingAfterAFailedCommitUntilItIsOpenedAgain) {
  const auto disk = std::make_shared<MemoryDisk>();
  int calls = 0;
  MemoryStore store(disk, [&](CommitPhase, const Batch&) {
    if (++calls == 1) throw Unavailable(Error(codes::storage_full, "injected"));
  });
  EXPECT_THROW((void)store.commit(start_batch(1)), Unavailable);
  EXPECT_THROW((void)store.commit(start_batch(1)), Unavailable);
  EXPECT_THROW(store.claim_shard(0, "me"), Unavailable);
  EXPECT_FALSE(store.find_execution(test_id(1))) << "reads go on";
  EXPECT_TRUE(MemoryStore(disk).commit(start_batch(1)));
}

TEST(MemoryStore, ACopiedDiskGoesItsOwnWay) {
  const auto disk = std::make_shared<MemoryDisk>();
  ASSERT_TRUE(MemoryStore(disk).commit(start_batch(1)));
  const auto image = disk->copy();
  ASSERT_TRUE(MemoryStore(disk).commit(start_batch(2)));
  EXPECT_TRUE(MemoryStore(image).find_execution(test_id(1)));
  EXPECT_FALSE(MemoryStore(image).find_execution(test_id(2)));
}

}  // namespace
}  // namespace fp::store

#include "ports/store_samples.hpp"
#include "store/sqlite/fault_vfs_test.hpp"
#include "store/sqlite/sqlite_engine_test.hpp"

#include <gtest/gtest.h>

namespace fp::store {
namespace {

using namespace fp::ports;

Batch start_batch(std::uint32_t number) {
  Batch batch;
  batch.executions = {start_write(number)};
  return batch;
}

SqliteOptions faulty() {
  FaultVfs::get().heal();
  SqliteOptions options;
  options.vfs = FaultVfs::kName;
  return options;
}

/// Commits until the fault strikes; gives how many were acknowledged.
std::uint32_t commit_until_failure(Store& store, std::string& code) {
  for (std::uint32_t number = 1; number <= 400; ++number) {
    try {
      if (!store.commit(start_batch(number))) ADD_FAILURE() << "fenced";
    } catch (const Unavailable& failed) {
      code = failed.error().code;
      return number - 1;
    }
  }
  return 400;
}

struct FaultCase {
  const char* name;
  FaultVfs::Operation operation;
  int sqlite_code;
  const char* code;
  int error_number = 0;
};

class DiskFault : public ::testing::TestWithParam<FaultCase> {};

TEST_P(DiskFault, EndsAcceptanceAndLosesNothingAcknowledged) {
  const auto& fault = GetParam();
  for (int nth = 1; nth <= 40; nth += nth < 8 ? 1 : 8) {
    SCOPED_TRACE(nth);
    auto options = faulty();
    options.wal_pages_before_checkpoint = 32;
    SqliteEngine engine(options);
    auto& vfs = FaultVfs::get();
    vfs.reset_counts();
    vfs.fail(fault.operation, nth, fault.sqlite_code, fault.error_number);
    std::string code;
    const auto acknowledged = commit_until_failure(engine.store(), code);
    ASSERT_TRUE(vfs.has_struck());
    EXPECT_EQ(code, fault.code);

    for (std::uint32_t number = 1; number <= acknowledged; ++number)
      EXPECT_TRUE(engine.store().find_execution(test_id(number))) << "reads go on";
    EXPECT_EQ(engine.store().list_executions({}, std::nullopt, 1000).items.size(), acknowledged);
    EXPECT_EQ(engine.store().count_executions({}, 0).count, acknowledged);

    vfs.heal();
    const int syncs = vfs.syncs();
    EXPECT_THROW((void)engine.store().commit(start_batch(1000)), Unavailable)
        << "fail-stop, although the disk is well again";
    EXPECT_THROW(engine.store().claim_shard(0, "me"), Unavailable);
    EXPECT_THROW(engine.store().prune({}, {}, {}, 1), Unavailable);
    engine.close();
    EXPECT_EQ(vfs.syncs(), syncs) << "a sync is never tried twice, not even by closing";

    engine.reopen();
    for (std::uint32_t number = 1; number <= acknowledged; ++number) {
      EXPECT_TRUE(engine.store().find_execution(test_id(number))) << number;
    }
    EXPECT_FALSE(engine.store().find_execution(test_id(1000)));
    EXPECT_TRUE(engine.store().check_integrity().empty());
    EXPECT_TRUE(engine.store().commit(start_batch(2000)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sqlite, DiskFault,
    ::testing::Values(
        FaultCase{"Write", FaultVfs::Operation::write, SQLITE_IOERR_WRITE, "storage.io"},
        FaultCase{"Full", FaultVfs::Operation::write, SQLITE_FULL, "storage.full"},
        FaultCase{"ReadOnly", FaultVfs::Operation::write, SQLITE_IOERR_WRITE, "storage.readonly", EROFS},
        FaultCase{"ReadOnlyFile", FaultVfs::Operation::write, SQLITE_READONLY, "storage.readonly"},
        FaultCase{"Quota", FaultVfs::Operation::write, SQLITE_IOERR_WRITE, "storage.full", EDQUOT},
        FaultCase{"ReadOnlySync", FaultVfs::Operation::sync, SQLITE_IOERR_FSYNC, "storage.readonly", EROFS},
        FaultCase{"Sync", FaultVfs::Operation::sync, SQLITE_IOERR_FSYNC, "storage.io"}),
    [](const auto& info) { return info.param.name; });

TEST(SqliteFault, WhatIsRecordedCanStillBeBackedUpWhenNothingMoreIsAccepted) {
  SqliteEngine engine(faulty());
  ASSERT_TRUE(engine.store().commit(start_batch(1)));
  FaultVfs::get().fail(FaultVfs::Operation::write, 1, SQLITE_FULL);
  EXPECT_THROW((void)engine.store().commit(start_batch(2)), Unavailable);
  FaultVfs::get().heal();
  const ScratchDirectory scratch;
  const auto done = engine.store().back_up(scratch.path() / "backup");
  ASSERT_TRUE(done) << done.error().message;
  const auto copy = SqliteStore::open(scratch.path() / "backup");
  ASSERT_TRUE(copy);
  EXPECT_TRUE((*copy)->find_execution(test_id(1)));
  EXPECT_FALSE((*copy)->find_execution(test_id(2)));
}

TEST(SqliteFault, AReadThatFailsIsAnErrorAndNothingMore) {
  SqliteEngine engine(faulty());
  ASSERT_TRUE(engine.store().commit(start_batch(1)));
  engine.reopen();
  FaultVfs::get().fail(FaultVfs::Operation::read, 1, SQLITE_IOERR_READ);
  EXPECT_THROW((void)engine.store().load_execution(test_id(1)), Unavailable);
  FaultVfs::get().heal();
  EXPECT_TRUE(engine.store().load_execution(test_id(1)));
  EXPECT_TRUE(engine.store().commit(start_batch(2)));
}

TEST(SqliteFault, AReadThatTheDiskRefusesIsNotCalledDamage) {
  // What SQLite's own file layer gives for EIO, and what it then calls a malformed file.
  for (const auto& [error_number, code] : {std::pair(EIO, "storage.io"), std::pair(0, "storage.corrupt")}) {
    SqliteEngine engine(faulty());
    ASSERT_TRUE(engine.store().commit(start_batch(1)));
    engine.reopen();
    FaultVfs::get().fail(FaultVfs::Operation::read, 1, SQLITE_IOERR_CORRUPTFS, error_number);
    try {
      (void)engine.store().load_execution(test_id(1));
      ADD_FAILURE() << "the read was answered";
    } catch (const Unavailable& failed) {
      EXPECT_EQ(failed.error().code, code) << failed.error().message;
    }
    FaultVfs::get().heal();
    EXPECT_TRUE(engine.store().load_execution(test_id(1)));
  }
}

TEST(SqliteFault, EveryCommitIsSyncedUnlessLosingCommitsWasAskedFor) {
  for (const auto durability : {Durability::full, Durability::loses_commits_on_power_cut}) {
    auto options = faulty();
    options.durability = durability;
    SqliteEngine engine(options);
    ASSERT_TRUE(engine.store().commit(start_batch(1)));
    FaultVfs::get().reset_counts();
    for (std::uint32_t number = 2; number <= 11; ++number)
      ASSERT_TRUE(engine.store().commit(start_batch(number)));
    EXPECT_EQ(FaultVfs::get().syncs(), durability == Durability::full ? 10 : 0);
  }
}

}  // namespace
}  // namespace fp::store

#include "ports/store_samples.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/sqlite_engine_test.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace fp::store {
namespace {

namespace fs = std::filesystem;
using namespace fp::ports;

std::string blob_text(std::uint32_t number) {
  return "the large value of " + std::to_string(number);
}

BlobRef blob_ref(std::uint32_t number) {
  return {to_hex(hash_256(blob_text(number))), blob_text(number).size()};
}

void commit_execution(Store& store, std::uint32_t number, Fence fence = {}) {
  Batch batch;
  batch.fence = fence;
  batch.executions = {start_write(number)};
  batch.executions[0].blobs = {store.put_blob(blob_text(number))};
  batch.executions[0].wake_changed = true;
  batch.executions[0].wake_after = at_ms(number);
  const auto committed = store.commit(batch);
  if (!committed || committed->at(0) != WriteOutcome::committed)
    throw Unavailable(Error("test", "refused", false));
}

std::unique_ptr<SqliteStore> open_store(const fs::path& path) {
  auto opened = SqliteStore::open(path);
  if (!opened) throw Unavailable(opened.error());
  return std::move(*opened);
}

void overwrite(const fs::path& path, std::streamoff at, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file << bytes;
}

class Backup : public ::testing::Test {
 protected:
  fs::path target() const { return scratch_.path() / "backup"; }
  fs::path restored() const { return scratch_.path() / "restored"; }
  void back_up() {
    const auto done = engine_.store().back_up(target());
    ASSERT_TRUE(done) << done.error().message;
  }
  void expect_refused(const char* code) {
    const auto refused = restore_backup(target(), restored());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, code) << refused.error().message;
    EXPECT_TRUE(!fs::exists(restored()) || fs::is_empty(restored()))
        << "a failed restore leaves nothing behind";
  }

  ScratchDirectory scratch_;
  SqliteEngine engine_;
};

TEST_F(Backup, UnderLoadItHoldsWhateverWasAcknowledgedBefore) {
  std::atomic<std::uint32_t> acknowledged{0};
  std::atomic<bool> done{false};
  std::thread load([&] {
    for (std::uint32_t number = 1; !done; ++number) {
      commit_execution(engine_.store(), number);
      acknowledged = number;
      if (number % 50 == 0) engine_.store().prune({}, {}, {}, 100);
    }
  });
  for (int round = 0; round < 5; ++round) {
    while (acknowledged < 100U * static_cast<std::uint32_t>(round + 1)) std::this_thread::yield();
    const auto before = acknowledged.load();
    const auto path = scratch_.path() / std::to_string(round);
    const auto backed_up = engine_.store().back_up(path);
    EXPECT_TRUE(backed_up) << backed_up.error().message;
    const auto copy = open_store(path);
    EXPECT_TRUE(copy->check_integrity().empty());
    for (std::uint32_t number = 1; number <= before; ++number) {
      EXPECT_TRUE(copy->find_execution(test_id(number))) << number;
      const auto blob = copy->load_blob(blob_ref(number));
      EXPECT_TRUE(blob && *blob == blob_text(number)) << number;
    }
  }
  done = true;
  load.join();
}

TEST_F(Backup, TellsWhatItHolds) {
  const auto fence = engine_.store().claim_shard(0, "me");
  commit_execution(engine_.store(), 1, fence);
  commit_execution(engine_.store(), 2, fence);
  Batch batch;
  batch.fence = fence;
  batch.executions = {start_write(3, "completed")};
  ASSERT_TRUE(engine_.store().commit(batch));
  back_up();
  const auto manifest = read_manifest(target());
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->executions, 3U);
  EXPECT_EQ(manifest->unfinished, 2U);
  EXPECT_EQ(manifest->timers, 2U);
  EXPECT_EQ(manifest->blobs, 2U);
  EXPECT_EQ(manifest->lineage.epoch, fence.epoch);
  EXPECT_EQ(manifest->lineage.id.size(), 32U);
  EXPECT_EQ(fs::status(target()).permissions(), fs::perms::owner_all);
}

TEST_F(Backup, TakesOnlyANewOrEmptyDirectory) {
  fs::create_directory(target());
  back_up();
  const auto again = engine_.store().back_up(target());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "backup.exists");
  EXPECT_TRUE(read_manifest(target())) << "what is there stays as it is";
}

TEST_F(Backup, WhereNothingCanBeWrittenItSaysSo) {
  std::ofstream(scratch_.path() / "file") << "x";
  const auto failed = engine_.store().back_up(scratch_.path() / "file" / "backup");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "storage.io");
  EXPECT_NO_THROW(commit_execution(engine_.store(), 1)) << "the store itself is well";
}

TEST_F(Backup, ThatFailsHalfWayLeavesNothingBehind) {
  commit_execution(engine_.store(), 1);
  // A large value that can be neither linked nor read.
  engine_.lose_blob(blob_ref(1));
  fs::create_directory(engine_.blob_file(blob_ref(1)));
  EXPECT_FALSE(engine_.store().back_up(target()));
  EXPECT_TRUE(fs::is_empty(target()));
}

TEST_F(Backup, RestoresToAHistoryOfItsOwn) {
  const auto fence = engine_.store().claim_shard(0, "me");
  for (std::uint32_t number = 1; number <= 4; ++number) commit_execution(engine_.store(), number, fence);
  back_up();
  commit_execution(engine_.store(), 5, fence);
  const auto report = restore_backup(target(), restored(), at_ms(3));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->executions, 4U);
  EXPECT_EQ(report->unfinished, 4U);
  EXPECT_EQ(report->overdue_timers, 2U) << "those due before now";
  EXPECT_EQ(report->blobs, 4U);
  EXPECT_EQ(report->backup_time, read_manifest(target())->made_at);

  const auto store = open_store(restored());
  EXPECT_FALSE(store->open_warning()) << "a restore is meant";
  EXPECT_TRUE(store->check_integrity().empty());
  EXPECT_TRUE(store->find_execution(test_id(4)));
  EXPECT_FALSE(store->find_execution(test_id(5)));
  Batch batch;
  batch.fence = fence;
  const auto claimed = store->claim_shard(0, "restored");
  EXPECT_GT(claimed.epoch, report->epoch);
  EXPECT_GT(claimed.epoch, fence.epoch + 100'000) << "above whatever was claimed after the backup";
  EXPECT_GT(store->claim_shard(7, "restored").epoch, report->epoch) << "shards that are new too";
  EXPECT_EQ(store->commit(batch).error().code, "storage.fenced");
  ASSERT_TRUE(engine_.store().back_up(scratch_.path() / "second"));
  EXPECT_EQ(read_manifest(scratch_.path() / "second")->lineage.id, read_manifest(target())->lineage.id);
  ASSERT_TRUE(store->back_up(scratch_.path() / "third"));
  EXPECT_NE(read_manifest(scratch_.path() / "third")->lineage.id, read_manifest(target())->lineage.id);
}

TEST_F(Backup, ARestoredDirectorySharesNoFileWithItsBackup) {
  commit_execution(engine_.store(), 1);
  back_up();
  ASSERT_TRUE(restore_backup(target(), restored()));
  const auto name = fs::path("blobs") / blob_ref(1).hash.substr(0, 2) / blob_ref(1).hash;
  overwrite(restored() / name, 0, "#");
  EXPECT_FALSE(open_store(restored())->load_blob(blob_ref(1)));
  EXPECT_TRUE(engine_.store().load_blob(blob_ref(1)));
  EXPECT_TRUE(restore_backup(target(), scratch_.path() / "again")) << "the backup is as it was";
}

TEST_F(Backup, WhatIsUnfinishedOrDamagedIsNotRestored) {
  expect_refused("backup.invalid");
  for (std::uint32_t number = 1; number <= 300; ++number) commit_execution(engine_.store(), number);
  back_up();
  const auto manifest = target() / kManifest;
  fs::rename(manifest, target() / "aside");
  expect_refused("backup.invalid");
  std::ofstream(manifest) << "{\"format\":2}";
  expect_refused("backup.invalid");
  fs::rename(target() / "aside", manifest);

  const auto blob = target() / "blobs" / blob_ref(7).hash.substr(0, 2) / blob_ref(7).hash;
  fs::rename(blob, target() / "aside");
  expect_refused("backup.invalid");
  fs::copy_file(target() / "aside", blob);
  overwrite(blob, 0, "#");
  expect_refused("backup.invalid");
  fs::remove(blob);
  fs::rename(target() / "aside", blob);

  const auto database = target() / "flowpilot.db";
  fs::copy_file(database, target() / "aside");
  const auto page = static_cast<std::streamoff>(fs::file_size(database) / 4096 / 2 * 4096);
  overwrite(database, page, std::string(64, '\xA5'));
  expect_refused("backup.invalid");
  fs::resize_file(database, 100);
  expect_refused("backup.invalid");
  fs::remove(database);
  expect_refused("backup.invalid");
  fs::rename(target() / "aside", database);

  fs::copy_file(database, target() / "aside");
  {
    Connection file(database.string(), Access::read_write, Milliseconds(0), "");
    file.execute("UPDATE journal SET first_seq = 2 WHERE execution = 9; PRAGMA wal_checkpoint(TRUNCATE);");
  }
  expect_refused("backup.invalid");
  fs::remove(database);
  fs::rename(target() / "aside", database);

  fs::create_directory(restored());
  std::ofstream(restored() / "mine") << "x";
  const auto refused = restore_backup(target(), restored());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "backup.exists");
  EXPECT_TRUE(fs::exists(restored() / "mine"));
  fs::remove(restored() / "mine");
  EXPECT_TRUE(restore_backup(target(), restored()));
}

TEST_F(Backup, OfANewerVersionIsLeftAlone) {
  back_up();
  {
    Connection file((target() / "flowpilot.db").string(), Access::read_write, Milliseconds(0), "");
    file.execute("PRAGMA user_version = 9999; PRAGMA wal_checkpoint(TRUNCATE);");
  }
  expect_refused("storage.newer");
}

TEST_F(Backup, StartedInPlaceGoesItsOwnWayAndSaysSo) {
  const auto fence = engine_.store().claim_shard(0, "me");
  back_up();
  const auto lineage = read_manifest(target())->lineage;
  {
    const auto store = open_store(target());
    ASSERT_TRUE(store->open_warning());
    EXPECT_NE(store->open_warning()->find("backup"), std::string::npos);
    EXPECT_GT(store->claim_shard(0, "copy").epoch, fence.epoch + 100'000);
    EXPECT_FALSE(read_manifest(target())) << "it is no backup any more";
  }
  EXPECT_FALSE(open_store(target())->open_warning());
}

class LineageTest : public Backup {
 protected:
  fs::path database() const { return engine_.path() / "flowpilot.db"; }
  void put_in_place(const fs::path& file) {
    engine_.close();
    fs::copy_file(file, database(), fs::copy_options::overwrite_existing);
  }
};

TEST_F(LineageTest, AnOrdinaryRestartIsNotRemarkable) {
  EXPECT_FALSE(engine_.sqlite().open_warning());
  engine_.reopen();
  for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) {
    EXPECT_EQ(engine_.store().claim_shard(0, "me").epoch, epoch);
    engine_.reopen();
    EXPECT_FALSE(engine_.sqlite().open_warning());
  }
}

TEST_F(LineageTest, AnOlderCopyInPlaceIsNoticedAndItsOwnersAreShutOut) {
  engine_.store().claim_shard(0, "first");
  engine_.close();
  fs::copy_file(database(), scratch_.path() / "old.db");
  engine_.reopen();
  engine_.store().claim_shard(0, "second");
  const auto last = engine_.store().claim_shard(0, "third");
  put_in_place(scratch_.path() / "old.db");
  for (int start = 0; start < 2; ++start) {
    engine_.reopen();
    ASSERT_TRUE(engine_.sqlite().open_warning()) << "until somebody claims it";
    EXPECT_NE(engine_.sqlite().open_warning()->find("older"), std::string::npos);
  }
  EXPECT_GT(engine_.store().claim_shard(0, "fourth").epoch, last.epoch);
  EXPECT_GT(engine_.store().claim_shard(5, "fourth").epoch, last.epoch)
      << "shards that the copy does not know too";
  engine_.reopen();
  EXPECT_FALSE(engine_.sqlite().open_warning());
}

TEST_F(LineageTest, AnotherDatabaseInPlaceIsNoticed) {
  Fence last;
  for (int i = 0; i < 4; ++i) last = engine_.store().claim_shard(0, "here");
  SqliteEngine other;
  other.store().claim_shard(0, "there");
  other.close();
  put_in_place(other.path() / "flowpilot.db");
  engine_.reopen();
  ASSERT_TRUE(engine_.sqlite().open_warning());
  EXPECT_NE(engine_.sqlite().open_warning()->find("another lineage"), std::string::npos);
  EXPECT_GT(engine_.store().claim_shard(0, "here").epoch, last.epoch);
  engine_.reopen();
  EXPECT_FALSE(engine_.sqlite().open_warning());
}

TEST_F(LineageTest, AClaimThatWasNeverNotedIsNotRemarkable) {
  engine_.store().claim_shard(0, "me");
  fs::copy_file(engine_.path() / "lineage", scratch_.path() / "note");
  engine_.store().claim_shard(0, "me");
  engine_.close();
  fs::copy_file(scratch_.path() / "note", engine_.path() / "lineage", fs::copy_options::overwrite_existing);
  engine_.reopen();
  EXPECT_FALSE(engine_.sqlite().open_warning()) << "the process died between the commit and the note";
  EXPECT_EQ(engine_.store().claim_shard(0, "me").epoch, 3U);
}

}  // namespace
}  // namespace fp::store

#include "ports/store_samples.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/sqlite_engine_test.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

namespace fp::store {
namespace {

using namespace fp::ports;

constexpr const char* kDirectory = "FLOWPILOT_CRASH_TEST_DIRECTORY";
constexpr std::uint32_t kRounds = 40;

std::string blob_text(std::uint32_t round) {
  return "blob of round " + std::to_string(round);
}

std::filesystem::path backup_of(const std::filesystem::path& directory, std::uint32_t round) {
  return directory / ("backup" + std::to_string(round));
}

/// One round: two executions that end and one that goes on, with a blob; then a prune of what ended earlier.
void run_round(Store& store, std::uint32_t round, int acknowledged) {
  const auto ref = store.put_blob(blob_text(round));
  Batch batch;
  batch.executions = {start_write(round * 10, "completed"), start_write(round * 10 + 1, "failed"),
                      start_write(round * 10 + 2)};
  for (auto& write : batch.executions) write.blobs = {ref};
  if (!store.commit(batch)) _exit(3);
  const auto line = std::to_string(round) + "\n";
  if (write(acknowledged, line.data(), line.size()) < 0) _exit(4);
  while (store.prune({}, at_ms(round * 10 - 50), {}, 3).more) {
  }
}

/// Not a test of its own: the process that the tests below kill.
TEST(CrashChild, DISABLED_Works) {
  const char* directory = std::getenv(kDirectory);
  ASSERT_NE(directory, nullptr);
  SqliteOptions options;
  options.wal_pages_before_checkpoint = 16;
  auto opened = SqliteStore::open(std::filesystem::path(directory) / "data", options);
  if (!opened) _exit(2);
  const int acknowledged =
      open((std::string(directory) + "/acknowledged").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  for (std::uint32_t round = 1; round <= kRounds; ++round) {
    run_round(**opened, round, acknowledged);
    if (round % 5 == 0 && !(*opened)->back_up(backup_of(directory, round))) _exit(5);
  }
}

/// A whole backup restores to all that was acknowledged before it; half a one is never taken for a whole one.
void expect_backups_whole_or_refused(const std::filesystem::path& directory) {
  for (std::uint32_t round = 5; round <= kRounds; round += 5) {
    if (!std::filesystem::exists(backup_of(directory, round))) break;
    const auto target = directory / "restored";
    const auto restored = restore_backup(backup_of(directory, round), target);
    if (!std::filesystem::exists(backup_of(directory, round) / "backup.json")) {
      ASSERT_FALSE(restored);
      EXPECT_EQ(restored.error().code, "backup.invalid");
      continue;
    }
    ASSERT_TRUE(restored) << restored.error().message;
    auto opened = SqliteStore::open(target);
    ASSERT_TRUE(opened);
    for (std::uint32_t earlier = 1; earlier <= round; ++earlier)
      EXPECT_TRUE((*opened)->find_execution(test_id(earlier * 10 + 2))) << earlier << " of " << round;
    opened->reset();
    std::filesystem::remove_all(target);
  }
}

enum class End { killed, finished };

End run_child(const std::filesystem::path& directory, const std::string& failpoint) {
  const auto child = fork();
  if (child == 0) {
    setenv(kDirectory, directory.c_str(), 1);
    setenv("FLOWPILOT_FAILPOINTS", failpoint.c_str(), 1);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    execl("/proc/self/exe", "unit_tests", "--gtest_filter=CrashChild.*", "--gtest_also_run_disabled_tests",
          static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    return End::killed;
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return End::finished;
}

void expect_all_acknowledged(const std::filesystem::path& directory) {
  auto opened = SqliteStore::open(directory / "data");
  ASSERT_TRUE(opened) << opened.error().message;
  Store& store = **opened;
  EXPECT_TRUE(store.check_integrity().empty());
  std::ifstream acknowledged(directory / "acknowledged");
  std::uint32_t round = 0;
  while (acknowledged >> round) {
    const auto loaded = store.load_execution(test_id(round * 10 + 2));
    ASSERT_TRUE(loaded) << "round " << round;
    EXPECT_EQ(loaded->rows, std::vector{test_row(1)});
    const auto blob = store.load_blob({to_hex(hash_256(blob_text(round))), blob_text(round).size()});
    EXPECT_TRUE(blob && *blob == blob_text(round)) << "round " << round;
  }
  // And it goes on: the next round is recorded, old orphans are collected.
  Batch batch;
  batch.executions = {start_write(5'000'000)};
  EXPECT_TRUE(store.commit(batch));
  while (store.prune({}, at_ms(0), {}, 10).more) {
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory / "data" / "blobs" / "tmp"));
}

class CrashAt : public ::testing::TestWithParam<const char*> {};

TEST_P(CrashAt, LosesNothingAcknowledged) {
#ifndef FLOWPILOT_FAILPOINTS
  GTEST_SKIP() << "failpoints are compiled out of this build";
#endif
  for (const int nth : {1, 2, 7}) {
    SCOPED_TRACE(nth);
    const ScratchDirectory scratch;
    const auto failpoint = std::string(GetParam()) + ":kill@" + std::to_string(nth);
    EXPECT_EQ(run_child(scratch.path(), failpoint), End::killed);
    expect_all_acknowledged(scratch.path());
    expect_backups_whole_or_refused(scratch.path());
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Sqlite, CrashAt,
                         ::testing::Values("commit.before", "commit.after", "blob.rename.before",
                                           "blob.rename.after", "checkpoint.before", "prune.mid",
                                           "backup.mid", "backup.before_manifest"));

TEST(CrashAt, EveryStatementOfEveryMigrationTheReRunFinishes) {
#ifndef FLOWPILOT_FAILPOINTS
  GTEST_SKIP() << "failpoints are compiled out of this build";
#endif
  int nth = 1;
  for (;; ++nth) {
    const ScratchDirectory scratch;
    const auto end = run_child(scratch.path(), "migrate.mid:kill@" + std::to_string(nth));
    if (end == End::finished) break;
    expect_all_acknowledged(scratch.path());
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(nth, 20);
}

}  // namespace
}  // namespace fp::store

#include "ports/store_samples.hpp"
#include "store/sqlite/sqlite_engine_test.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fp::store {
namespace {

using namespace fp::ports;

Error open_error(const std::filesystem::path& path, SqliteOptions options = {}) {
  auto opened = SqliteStore::open(path, std::move(options));
  EXPECT_FALSE(opened);
  return opened ? Error() : opened.error();
}

void expect_sentence(const Error& error, const char* code, const std::string& path) {
  EXPECT_EQ(error.code, code) << error.message;
  EXPECT_NE(error.message.find(path), std::string::npos) << error.message;
  EXPECT_NE(error.message.find(';'), std::string::npos) << "says what to do: " << error.message;
}

TEST(OpenStore, ASecondProcessIsToldWhoHasTheDirectory) {
  SqliteEngine engine;
  const auto error = open_error(engine.path());
  expect_sentence(error, "storage.in_use", engine.path());
  const auto owner = "in use by process " + std::to_string(getpid()) + " (unit_tests)";
  EXPECT_NE(error.message.find(owner.substr(0, owner.find(" ("))), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("("), std::string::npos) << error.message;
  engine.close();
  EXPECT_TRUE(SqliteStore::open(engine.path()));
}

TEST(OpenStore, TheLockOfADeadProcessDoesNotBlock) {
  const ScratchDirectory scratch;
  const auto child = fork();
  if (child == 0) {
    const auto opened = SqliteStore::open(scratch.path());
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(SqliteStore::open(scratch.path()));
}

TEST(OpenStore, AFileOfANewerVersionIsLeftAlone) {
  SqliteEngine engine;
  engine.close();
  {
    Connection file((engine.path() / "flowpilot.db").string(), Access::read_write, Milliseconds(0), "");
    file.execute("PRAGMA user_version = 9999;");
  }
  expect_sentence(open_error(engine.path()), "storage.newer", engine.path());
  SqliteOptions look;
  look.read_only = true;
  expect_sentence(open_error(engine.path(), look), "storage.newer", engine.path());
}

TEST(OpenStore, AFileThatIsNoDatabaseIsCalledDamaged) {
  const ScratchDirectory scratch;
  std::ofstream(scratch.path() / "flowpilot.db") << std::string(8192, 'x');
  expect_sentence(open_error(scratch.path()), "storage.corrupt", scratch.path());
}

TEST(OpenStore, APathThatCanNotBeADirectoryIsNamed) {
  const ScratchDirectory scratch;
  std::ofstream(scratch.path() / "file") << "x";
  expect_sentence(open_error(scratch.path() / "file" / "data"), "storage.io", scratch.path());
}

class ReadOnlyMount {
 public:
  explicit ReadOnlyMount(const std::filesystem::path& path) : path_(path) {
    mounted_ = mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0;
    works_ =
        mounted_ && mount(nullptr, path.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }
  ~ReadOnlyMount() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  ReadOnlyMount(const ReadOnlyMount&) = delete;
  ReadOnlyMount& operator=(const ReadOnlyMount&) = delete;
  bool works() const { return works_; }

 private:
  std::filesystem::path path_;
  bool mounted_ = false;
  bool works_ = false;
};

TEST(OpenStore, AReadOnlyDiskIsNamedAndCanStillBeVerified) {
  SqliteEngine engine;
  Batch batch;
  batch.executions = {start_write(1)};
  ASSERT_TRUE(engine.store().commit(batch));
  engine.close();
  const ReadOnlyMount frozen(engine.path());
  if (!frozen.works()) GTEST_SKIP() << "this process may not mount";
  expect_sentence(open_error(engine.path()), "storage.readonly", engine.path());

  SqliteOptions look;
  look.read_only = true;
  auto opened = SqliteStore::open(engine.path(), look);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE((*opened)->find_execution(test_id(1)));
  EXPECT_TRUE((*opened)->check_integrity().empty());
}

TEST(OpenStore, VerifyMayLookWhileAServerRunsButNeverWrites) {
  SqliteEngine engine;
  Batch batch;
  batch.executions = {start_write(1)};
  ASSERT_TRUE(engine.store().commit(batch));
  SqliteOptions look;
  look.read_only = true;
  auto opened = SqliteStore::open(engine.path(), look);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE((*opened)->find_execution(test_id(1)));
  EXPECT_THROW((void)(*opened)->commit(batch), Unavailable);
  EXPECT_THROW((*opened)->put_blob("x"), Unavailable);
  EXPECT_THROW((*opened)->prune({}, {}, {}, 1), Unavailable);
  EXPECT_THROW((*opened)->claim_shard(0, "x"), Unavailable);
}

TEST(OpenStore, VerifyOfADirectoryWithoutADatabaseMakesNone) {
  const ScratchDirectory scratch;
  SqliteOptions look;
  look.read_only = true;
  expect_sentence(open_error(scratch.path(), look), "storage.io", scratch.path());
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

}  // namespace
}  // namespace fp::store

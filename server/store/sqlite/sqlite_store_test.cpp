#include "store/sqlite/sqlite_store.hpp"

#include "ports/store_contract.hpp"
#include "ports/store_events_contract.hpp"
#include "ports/store_history_contract.hpp"
#include "ports/store_lists_contract.hpp"
#include "ports/store_triggers_contract.hpp"
#include "ports/store_upkeep_contract.hpp"
#include "ports/store_workflows_contract.hpp"
#include "store/sqlite/migrate.hpp"
#include "store/sqlite/sqlite_engine_test.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cctype>

namespace fp::ports {
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreContract, fp::store::SqliteEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreListsContract, fp::store::SqliteEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreHistoryContract, fp::store::SqliteEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreWorkflowsContract, fp::store::SqliteEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreEventsContract, fp::store::SqliteEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreTriggersContract, fp::store::SqliteEngine);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreUpkeepContract, fp::store::SqliteEngine);
}  // namespace fp::ports

namespace fp::store {
namespace {

using namespace fp::ports;

Batch start_batch(std::uint32_t number) {
  Batch batch;
  batch.executions = {start_write(number)};
  return batch;
}

/// A stranger's connection to the file, for looking and for damage.
Connection stranger(const SqliteEngine& engine) {
  return Connection((engine.path() / "flowpilot.db").string(), Access::read_write, Milliseconds(1000), "");
}

std::int64_t ask(Connection& connection, const char* text) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection.handle(), text, -1, &statement, nullptr) != SQLITE_OK)
    connection.fail(SQLITE_ERROR);
  const auto value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
  sqlite3_finalize(statement);
  return value;
}

TEST(SqliteStore, KeepsItsFilesReadableForItsOwnerOnly) {
  SqliteEngine engine;
  EXPECT_EQ(std::filesystem::status(engine.path()).permissions(), std::filesystem::perms::owner_all);
  EXPECT_TRUE(std::filesystem::exists(engine.path() / "flowpilot.db"));
  EXPECT_TRUE(std::filesystem::exists(engine.path() / "lock"));
}

TEST(SqliteStore, AnOrderlyCloseLeavesNoWal) {
  SqliteEngine engine;
  ASSERT_TRUE(engine.store().commit(start_batch(1)));
  EXPECT_GT(std::filesystem::file_size(engine.path() / "flowpilot.db-wal"), 0U);
  engine.close();
  EXPECT_FALSE(std::filesystem::exists(engine.path() / "flowpilot.db-wal"));
}

TEST(SqliteStore, TheFileHasTheSettingsThatItsPromisesRestOn) {
  SqliteEngine engine;
  auto file = stranger(engine);
  EXPECT_EQ(ask(file, "PRAGMA auto_vacuum"), 2) << "incremental";
  EXPECT_EQ(ask(file, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
  EXPECT_EQ(ask(file, "PRAGMA page_size"), 4096);
}

TEST(SqliteStore, TheDatabaseItselfForbidsLeavingATerminalStatus) {
  SqliteEngine engine;
  Batch batch;
  batch.executions = {start_write(1, "completed"), start_write(2)};
  ASSERT_TRUE(engine.store().commit(batch));
  engine.close();
  auto file = stranger(engine);
  EXPECT_THROW(file.execute("UPDATE executions SET status = 'running' WHERE status = 'completed'"),
               Unavailable);
  EXPECT_NO_THROW(file.execute("UPDATE executions SET status = 'failed' WHERE status = 'running'"));
}

TEST(SqliteStore, TheWalStaysShortUnderAStreamOfCommits) {
  SqliteOptions options;
  options.wal_pages_before_checkpoint = 64;
  SqliteEngine engine(options);
  std::uintmax_t longest = 0;
  for (std::uint32_t i = 1; i <= 600; ++i) {
    ASSERT_TRUE(engine.store().commit(start_batch(i)));
    longest = std::max(longest, std::filesystem::file_size(engine.path() / "flowpilot.db-wal"));
  }
  EXPECT_LT(longest, 4U * 64 * 4120);
  EXPECT_GT(std::filesystem::file_size(engine.path() / "flowpilot.db"), 32U * 4096)
      << "checkpoints moved pages";
}

TEST(SqliteStore, APruneGivesTheSpaceBack) {
  SqliteEngine engine;
  for (std::uint32_t i = 0; i < 20; ++i) {
    Batch batch;
    for (std::uint32_t n = 0; n < 100; ++n) {
      batch.executions.push_back(start_write(1 + i * 100 + n, "completed"));
      batch.executions.back().row->events = std::string(2'000, 'e');
    }
    ASSERT_TRUE(engine.store().commit(batch));
  }
  engine.reopen();
  const auto before = std::filesystem::file_size(engine.path() / "flowpilot.db");
  while (engine.store().prune({}, at_ms(10'000'000), {}, 500).more) {
  }
  engine.close();
  EXPECT_LT(std::filesystem::file_size(engine.path() / "flowpilot.db"), before / 10);
}

TEST(SqliteStore, APageLooksAtABoundedNumberOfRowsAndSaysWhereToGoOn) {
  SqliteOptions options;
  options.durability = Durability::loses_commits_on_power_cut;
  SqliteEngine engine(options);
  constexpr std::uint32_t kRows = 50'100;
  for (std::uint32_t number = 0; number < kRows;) {
    Batch batch;
    for (int i = 0; i < 5'000 && number < kRows; ++i, ++number) {
      ExecutionWrite write;
      write.id = test_id(number);
      write.summary = test_summary(number, "failed");
      if (number < 4) write.summary->trigger = "webhook";
      batch.executions.push_back(std::move(write));
    }
    ASSERT_TRUE(engine.store().commit(batch));
  }
  auto& store = engine.store();
  for (const auto& filter :
       {ExecutionFilter{.trigger = "webhook"}, ExecutionFilter{.status = {"failed"}, .trigger = "webhook"},
        ExecutionFilter{.workflow = "signup", .trigger = "webhook"}}) {
    auto page = store.list_executions(filter, std::nullopt, 3);
    EXPECT_TRUE(page.items.empty());
    ASSERT_EQ(page.next, kRows - 49'999) << "numbers are from 1, and 50,000 rows were looked at";
    page = store.list_executions(filter, page.next, 3);
    EXPECT_EQ(page.items.size(), 3U);
    ASSERT_TRUE(page.next);
    page = store.list_executions(filter, page.next, 3);
    EXPECT_EQ(page.items.size(), 1U);
    EXPECT_FALSE(page.next);
    const auto counted = store.count_executions(filter, 10);
    EXPECT_EQ(counted.count, 0U);
    EXPECT_FALSE(counted.is_exact);
  }
}

TEST(SqliteStore, CheckIntegrityNamesWhatIsWrong) {
  SqliteEngine engine;
  const auto ref = engine.store().put_blob("bytes");
  auto batch = start_batch(1);
  batch.executions[0].blobs = {ref};
  batch.executions.push_back(row_write(1, 2));
  batch.executions.push_back(row_write(1, 3));
  ASSERT_TRUE(engine.store().commit(batch));
  EXPECT_TRUE(engine.store().check_integrity().empty());
  engine.lose_blob(ref);
  engine.close();
  {
    auto file = stranger(engine);
    file.execute(
        "DELETE FROM journal WHERE first_seq = 2; INSERT INTO timers(execution, due) VALUES (77, 1);");
  }
  engine.reopen();
  const auto found = engine.store().check_integrity();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_NE(found[0].find(to_string(test_id(1))), std::string::npos);
  EXPECT_NE(found[1].find("timers"), std::string::npos);
  EXPECT_NE(found[2].find(ref.hash), std::string::npos);
}

TEST(SqliteStore, OneBadPageIsFoundByTheCheck) {
  SqliteEngine engine;
  Batch batch;
  for (std::uint32_t i = 1; i <= 500; ++i) batch.executions.push_back(start_write(i));
  ASSERT_TRUE(engine.store().commit(batch));
  engine.close();
  const auto pages = std::filesystem::file_size(engine.path() / "flowpilot.db") / 4096;
  {
    std::fstream file(engine.path() / "flowpilot.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>((pages / 2) * 4096));
    file << std::string(64, '\xA5');
  }
  engine.reopen();
  std::vector<std::string> found;
  try {
    found = engine.store().check_integrity();
  } catch (const Unavailable& failed) {
    found.push_back(failed.error().code);
  }
  EXPECT_FALSE(found.empty());
}

TEST(Migrations, GiveTheSchemaThatIsWrittenDown) {
  const ScratchDirectory scratch;
  const auto dump = [&](const char* name, auto&& make) {
    Connection connection((scratch.path() / name).string(), Access::read_write, Milliseconds(0), "");
    make(connection);
    std::string text;
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(connection.handle(),
                       "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name", -1, &statement,
                       nullptr);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      // A column that was added stands in another line than one that was always there.
      for (const char c : std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))))
        if (std::isspace(static_cast<unsigned char>(c)) == 0) text += c;
      text += ";\n";
    }
    sqlite3_finalize(statement);
    return text;
  };
  const auto migrated = dump("migrated.db", [](Connection& connection) { migrate(connection); });
  const auto written = dump("written.db", [](Connection& connection) { connection.execute(sql::kSchema); });
  EXPECT_EQ(migrated, written);
  EXPECT_GT(migrated.size(), 1'000U);
}

TEST(Migrations, AreNumberedWithoutGapsAndRunOnce) {
  int expected = 1;
  for (const auto& migration : sql::kMigrations) EXPECT_EQ(migration.number, expected++) << migration.name;
  const ScratchDirectory scratch;
  Connection connection((scratch.path() / "a.db").string(), Access::read_write, Milliseconds(0), "");
  migrate(connection);
  EXPECT_EQ(check_schema_number(connection), expected - 1);
  EXPECT_NO_THROW(migrate(connection));
}

TEST(Migrations, AFileOfTheFirstSchemaIsCountedAndItsLogsAreNumbered) {
  SqliteEngine engine;
  engine.close();
  std::filesystem::remove_all(engine.path());
  std::filesystem::create_directories(engine.path());
  {
    auto file = stranger(engine);
    migrate(file, std::span(sql::kMigrations, 1));
    for (const int number : {1, 2}) {
      const auto row = fmt::format(
          "INSERT INTO executions VALUES ({0}, x'{1}', 'signup', 'h', 'completed', 'manual', {0}, {0}, '', "
          "'', NULL, NULL, '{{}}', 0);",
          number, to_hex(test_id(static_cast<std::uint32_t>(number)).bytes));
      file.execute(row);
      file.execute(
          fmt::format("INSERT INTO logs VALUES ({0}, 2, 1, '[[\"a\",-1,1,5,\"info\",\"third\"]]');"
                      "INSERT INTO logs VALUES ({0}, 0, 2, "
                      "'[[\"a\",-1,1,5,\"info\",\"first\"],[\"a\",-1,1,5,\"info\",\"x\"]]');",
                      number));
    }
    file.execute("INSERT INTO idempotency VALUES ('key', zeroblob(32), zeroblob(16), 1);");
  }
  engine.reopen();
  auto& store = engine.store();
  EXPECT_EQ(store.list_executions({.workflow = "signup"}, std::nullopt, 9).items.size(), 2U);
  EXPECT_EQ(store.count_executions({.status = {"completed"}}, 0).count, 2U);
  EXPECT_TRUE(store.find_idempotency("key"));
  const auto batches = store.list_log_batches(test_id(2), 0, 9);
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0].number, 1U);
  EXPECT_EQ(batches[0].lines.at(1).number, 2U);
  EXPECT_EQ(batches[1].lines.at(0).line.text, "third");
  EXPECT_EQ(batches[1].after_seq, 0U);
  auto write = row_write(2, 1);
  write.log_lines = {test_line("fourth")};
  Batch batch;
  batch.executions = {write};
  ASSERT_TRUE(store.commit(batch));
  EXPECT_EQ(store.load_execution(test_id(2))->log_batches, 3U);
  EXPECT_EQ(store.list_log(test_id(2), {.after = 3}, 9).lines.at(0).number, 4U);
  EXPECT_TRUE(store.check_integrity().empty());
}

TEST(Migrations, AFailingOneLeavesTheFileAsItWas) {
  const ScratchDirectory scratch;
  Connection connection((scratch.path() / "a.db").string(), Access::read_write, Milliseconds(0), "");
  const std::vector<sql::Migration> broken = {{1, "good", "CREATE TABLE a(x);"},
                                              {2, "bad", "CREATE TABLE b(x); CREATE TABLE a(x);"}};
  EXPECT_THROW(migrate(connection, broken), Unavailable);
  connection.abandon();
  EXPECT_EQ(ask(connection, "PRAGMA user_version"), 1);
  EXPECT_EQ(ask(connection, "SELECT count(*) FROM sqlite_schema"), 1);
}

}  // namespace
}  // namespace fp::store

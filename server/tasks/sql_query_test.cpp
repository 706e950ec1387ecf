#include "base/json_parse.hpp"
#include "tasks/network.hpp"
#include "tasks/postgres_value.hpp"
#include "tasks/sql_names.hpp"
#include "tasks/test_peer.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <fstream>
#include <unistd.h>

namespace fp::tasks {
namespace {

class SqlTest : public testing::Test {
 protected:
  SqlTest()
      : network_(std::make_shared<Network>(AddressGuard(true, {}), "")),
        handler_(make_sql_query_handler(network_, clock_, own_.path())) {}
  ports::TaskHandler::Output run(const std::string& query, JsonObject extra = {},
                                 Milliseconds timeout = std::chrono::seconds(20)) {
    JsonObject config{{"url", url_}, {"query", query}};
    for (const auto& member : extra) config.insert_or_assign(member.key(), member.value());
    return TestAttempt(*handler_, config, timeout).wait();
  }
  void must(const std::string& query, JsonObject extra = {}) {
    const auto output = run(query, std::move(extra));
    ASSERT_TRUE(output) << query << ": " << output.error().message;
  }

  SystemClock clock_;
  TestFolder own_;
  std::shared_ptr<Network> network_;
  std::unique_ptr<ports::TaskHandler> handler_;
  std::string url_;
};

class SqliteQueryTest : public SqlTest {
 protected:
  SqliteQueryTest() {
    url_ = "sqlite:///" + (folder_.path() / "app.db").string();
    must("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, score REAL)");
    must("INSERT INTO t (name, score) VALUES ('ada', 1.5), ('bob', NULL)");
  }
  TestFolder folder_;
};

TEST_F(SqliteQueryTest, GivesRowsWithTypes) {
  EXPECT_EQ(
      run("SELECT id, name, score, x'ff00' AS raw, 9007199254740993 AS big, id FROM t ORDER BY id")
          ->at("rows")
          .at(0),
      parse_trusted_json(
          R"({"id": 1, "name": "ada", "score": 1.5, "raw": "/wA=", "big": 9007199254740993, "id_2": 1})"));
  EXPECT_EQ(run("SELECT 1 WHERE 0")->at("row_count"), Json(0));
  EXPECT_EQ(run("SELECT name FROM t WHERE id = 2", {{"mode", "one"}})->at("row"),
            Json(JsonObject{{"name", "bob"}}));
  EXPECT_EQ(run("SELECT name FROM t WHERE id = 9", {{"mode", "one"}})->at("row"), Json(nullptr));
  EXPECT_EQ(run("UPDATE t SET score = 2", {{"mode", "execute"}})->at("row_count"), Json(2));
}

TEST_F(SqliteQueryTest, BindsAndNeverSplices) {
  const std::string evil = "'; DROP TABLE t; --";
  must("INSERT INTO t (name) VALUES (?)", {{"params", JsonArray{evil}}});
  EXPECT_EQ(run("SELECT count(*) AS n FROM t WHERE name = :name", {{"params", JsonObject{{"name", evil}}}})
                ->at("rows")
                .at(0)
                .at("n"),
            Json(1));
  EXPECT_EQ(code_of(run("SELECT ?", {{"params", JsonArray{1, 2}}})), "sql.params");
  EXPECT_EQ(code_of(run("SELECT ?")), "sql.params");
  EXPECT_EQ(code_of(run("SELECT :a", {{"params", JsonObject{{"b", 1}}}})), "sql.params");
  EXPECT_EQ(code_of(run("SELECT :a", {{"params", JsonObject{{"a", 1}, {"b", 1}}}})), "sql.params");
}

TEST_F(SqliteQueryTest, RunsOneHarmlessStatementOnly) {
  const auto other = (folder_.path() / "other.db").string();
  const std::pair<std::string, const char*> rows[] = {
      {"SELECT 1; SELECT 2", "sql.multi"},
      {"SELECT 1; garbage", "sql.multi"},
      {"SELEC 1", "sql.syntax"},
      {"SELECT * FROM missing", "sql.syntax"},
      {"-- nothing", "sql.syntax"},
      {"ATTACH '" + other + "' AS o", "sql.forbidden"},
      {"VACUUM INTO '" + other + "'", "sql.forbidden"},
      {"PRAGMA writable_schema = 1", "sql.forbidden"},
      {"PRAGMA journal_mode = OFF", "sql.forbidden"},
      {"PRAGMA database_list", "sql.forbidden"},
      {"SELECT load_extension('x')", "sql.forbidden"},
      {"INSERT INTO t (name) VALUES ('ada')", "sql.constraint"},
      {"INSERT INTO t (name) VALUES (NULL)", "sql.constraint"},
      {"UPDATE sqlite_master SET sql = ''", "sql.syntax"},
  };
  for (const auto& [query, code] : rows) EXPECT_EQ(code_of(run(query)), code) << query;
  EXPECT_FALSE(std::filesystem::exists(other));
  EXPECT_TRUE(run("SELECT 1; -- the end\n ;"));
  EXPECT_EQ(run("PRAGMA table_info(t)")->at("row_count"), Json(3));
}

TEST_F(SqliteQueryTest, StopsAtItsLimits) {
  const std::string endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT ";
  EXPECT_EQ(code_of(run(endless + "i FROM n")), "sql.rows");
  EXPECT_EQ(code_of(run(endless + "i FROM n", {{"max_rows", 3}})), "sql.rows");
  EXPECT_EQ(code_of(run(endless + "hex(zeroblob(4000000)) AS x FROM n")), "sql.rows");
  EXPECT_EQ(code_of(run("SELECT 1 UNION SELECT 2", {{"mode", "one"}})), "sql.rows");
  EXPECT_EQ(code_of(run(endless + "count(*) FROM n", {}, Milliseconds(100))), "sql.timeout");
}

TEST_F(SqliteQueryTest, EndsSoonWhenCancelled) {
  std::promise<ports::AttemptControl*> begun;
  std::thread runner([&] {
    ports::AttemptRequest request;
    request.config = make_value(JsonObject{
        {"url", url_},
        {"query", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"}});
    const auto control = std::make_shared<ports::AttemptControl>();
    begun.set_value(control.get());
    handler_->start(std::move(request), control, [control](ports::TaskHandler::Output output) {
      EXPECT_EQ(code_of(output), "task.cancelled");
    });
  });
  begun.get_future().get()->cancel();
  runner.join();
}

TEST_F(SqliteQueryTest, WaitsForALockUntilItsTimeIsOver) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder_.path() / "app.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(code_of(run("SELECT * FROM t", {}, Milliseconds(50))), "sql.timeout");
  sqlite3_close(other);
}

TEST_F(SqliteQueryTest, KeepsOutOfTheProductsOwnData) {
  std::filesystem::create_directory_symlink(own_.path(), folder_.path() / "link");
  for (const auto& path :
       {own_.path() / "flowpilot.db", own_.path() / "sub/../x.db", folder_.path() / "link" / "flowpilot.db",
        folder_.path() / ".." / own_.path().filename() / "a"}) {
    EXPECT_EQ(code_of(run("SELECT 1", {{"url", "sqlite:///" + path.string()}})), "sql.forbidden") << path;
  }
  for (const char* url : {"sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://a/b", "sqlite:x"})
    EXPECT_EQ(code_of(run("SELECT 1", {{"url", url}})), "sql.url") << url;
  EXPECT_EQ(code_of(run("SELECT 1", {{"url", "sqlite:////missing/folder/a.db"}})), "sql.connect");
}

TEST(NumberNames, LeavesTextAndCastsAlone) {
  const std::pair<const char*, const char*> rows[] = {
      {"SELECT :a, :b, :a", "SELECT $1, $2, $1"},
      {"SELECT ':a', \":a\", :a::text", "SELECT ':a', \":a\", $1::text"},
      {"SELECT E'\\':a', 'it''s :a' -- :a\n, :a", "SELECT E'\\':a', 'it''s :a' -- :a\n, $1"},
      {"/* :a /* :a */ :a */ :a", "/* :a /* :a */ :a */ $1"},
      {"$$ :a $$ :a $x$ :a $$ $x$ :a", "$$ :a $$ $1 $x$ :a $$ $x$ $1"},
      {"SELECT a[1:2], 'open :a", "SELECT a[1:2], 'open :a"},
  };
  for (const auto& [from, to] : rows) EXPECT_EQ(number_names(from).text, to);
  EXPECT_EQ(number_names(":b :a :b").names, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(first_word(" /* x */ -- y\n (COPY t"), "copy");
}

TEST(PostgresValue, KeepsWhatJsonCanNotHoldAsText) {
  EXPECT_EQ(read_postgres_value(20, "9223372036854775807"), Json(std::int64_t{9223372036854775807}));
  EXPECT_EQ(read_postgres_value(1700, "12.50"), Json(12.5));
  EXPECT_EQ(read_postgres_value(1700, "0.1234567890123456789"), Json("0.1234567890123456789"));
  EXPECT_EQ(read_postgres_value(1700, "NaN"), Json("NaN"));
  EXPECT_EQ(read_postgres_value(701, "Infinity"), Json("Infinity"));
  EXPECT_EQ(read_postgres_value(16, "t"), Json(true));
  EXPECT_EQ(read_postgres_value(17, "\\xff00"), Json("/wA="));
  EXPECT_EQ(read_postgres_value(3802, R"({"a": [1]})"), parse_trusted_json(R"({"a": [1]})"));
  EXPECT_EQ(read_postgres_value(1184, "2026-01-31 08:15:00.5+00"), Json("2026-01-31T08:15:00.5Z"));
  EXPECT_EQ(read_postgres_value(1184, "infinity"), Json("infinity"));
}

/// A private PostgreSQL server on a socket of its own, for all tests of the suite.
class PostgresQueryTest : public SqlTest {
 protected:
  static void SetUpTestSuite() {
    if (access(kBin, X_OK) != 0) return;
    folder_ = std::make_unique<TestFolder>();
    const auto data = (folder_->path() / "data").string();
    const std::string as_user = geteuid() == 0 ? "runuser -u postgres -- " : "";
    if (geteuid() == 0 && shell("chown postgres " + folder_->path().string()) != 0) return;
    const std::string bin = kBin;
    if (shell(as_user + bin + "/initdb -D " + data + " -U flow -A trust --no-sync >/dev/null 2>&1") != 0)
      return;
    started_ = shell(as_user + bin + "/pg_ctl -D " + data + " -w -o \"-k " + folder_->path().string() +
                     " -c listen_addresses= -F\" -l " + folder_->path().string() +
                     "/log start >/dev/null 2>&1") == 0;
  }
  static void TearDownTestSuite() {
    const std::string as_user = geteuid() == 0 ? "runuser -u postgres -- " : "";
    if (started_)
      shell(as_user + kBin + "/pg_ctl -D " + (folder_->path() / "data").string() +
            " -m immediate stop >/dev/null 2>&1");
    folder_.reset();
  }
  void SetUp() override {
    if (!started_) GTEST_SKIP() << "no PostgreSQL server could be started from " << kBin;
    url_ = "postgresql://flow@/postgres?host=" + folder_->path().string();
  }

 private:
  static int shell(const std::string& command) { return std::system(command.c_str()); }
  static constexpr const char* kBin = "/usr/lib/postgresql/15/bin";
  inline static std::unique_ptr<TestFolder> folder_;
  inline static bool started_ = false;
};

TEST_F(PostgresQueryTest, GivesRowsWithTypes) {
  const auto output =
      run("SELECT 1::int AS i, 'x' AS t, 12.50::numeric AS n, NULL AS none, true AS b, '{\"a\": 1}'::jsonb "
          "AS j, '\\xff'::bytea AS y, "
          "timestamptz '2026-01-31 09:15+01' AS at, 1 AS i");
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(
      output->at("rows").at(0),
      parse_trusted_json(
          R"({"i": 1, "t": "x", "n": 12.5, "none": null, "b": true, "j": {"a": 1}, "y": "/w==", "at": "2026-01-31T08:15:00Z", "i_2": 1})"));
}

TEST_F(PostgresQueryTest, BindsListsAndNames) {
  must("CREATE TABLE IF NOT EXISTS p (id int PRIMARY KEY, name text NOT NULL)");
  EXPECT_EQ(run("INSERT INTO p VALUES ($1, $2), (2, 'bob')",
                {{"params", JsonArray{1, "'; DROP TABLE p; --"}}, {"mode", "execute"}})
                ->at("row_count"),
            Json(2));
  EXPECT_EQ(
      run("SELECT name FROM p WHERE id = :id::int", {{"params", JsonObject{{"id", 2}}}, {"mode", "one"}})
          ->at("row"),
      Json(JsonObject{{"name", "bob"}}));
  EXPECT_EQ(code_of(run("SELECT $1::int")), "sql.params");
  EXPECT_EQ(code_of(run("SELECT :a", {{"params", JsonObject{{"b", 1}}}})), "sql.params");
  EXPECT_EQ(code_of(run("INSERT INTO p VALUES (2, 'x')")), "sql.constraint");
}

TEST_F(PostgresQueryTest, RunsOneHarmlessStatementOnly) {
  const std::pair<const char*, const char*> rows[] = {{"SELECT 1; SELECT 2", "sql.multi"},
                                                      {"SELEC 1", "sql.syntax"},
                                                      {"SELECT * FROM missing", "sql.syntax"},
                                                      {"", "sql.syntax"},
                                                      {"COPY (SELECT 1) TO PROGRAM 'true'", "sql.forbidden"},
                                                      {"/* x */ copy pg_class to stdout", "sql.forbidden"},
                                                      {"DO $$ BEGIN END $$", "sql.forbidden"},
                                                      {"SELECT 1 / 0", "sql.failed"}};
  for (const auto& [query, code] : rows) EXPECT_EQ(code_of(run(query)), code) << query;
}

TEST_F(PostgresQueryTest, StopsAtItsLimits) {
  EXPECT_EQ(code_of(run("SELECT generate_series(1, 100000000)", {{"max_rows", 5}})), "sql.rows");
  EXPECT_EQ(code_of(run("SELECT pg_sleep(30)", {}, Milliseconds(200))), "sql.timeout");
}

TEST_F(PostgresQueryTest, EndsWithinATenthOfASecondWhenCancelled) {
  const auto control = std::make_shared<ports::AttemptControl>();
  std::promise<std::string> ended;
  std::thread runner([&] {
    ports::AttemptRequest request;
    request.config = make_value(JsonObject{{"url", url_}, {"query", "SELECT pg_sleep(30)"}});
    handler_->start(std::move(request), control,
                    [&](ports::TaskHandler::Output output) { ended.set_value(code_of(output)); });
  });
  while (run("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'")->at("row_count") !=
         Json(1)) {
  }
  const auto before = clock_.steady_now();
  control->cancel();
  EXPECT_EQ(ended.get_future().get(), "task.cancelled");
  EXPECT_LT(clock_.steady_now() - before, Milliseconds(100));
  runner.join();
}

TEST_F(SqlTest, ReachesNoDatabaseThatIsNotOpenToWorkflows) {
  network_ = std::make_shared<Network>(AddressGuard(false, {}), "");
  handler_ = make_sql_query_handler(network_, clock_, "");
  for (const char* url :
       {"postgresql://127.0.0.1/x", "postgresql://localhost/x", "postgres://u:p@[::1]:5432/x",
        "postgresql:///x", "postgresql:///x?host=/run/postgresql", "postgresql://10.0.0.1/x"}) {
    EXPECT_EQ(code_of(run("SELECT 1", {{"url", url}})), "sql.blocked_address") << url;
  }
  for (const char* url :
       {"postgresql://a,b/x", "postgresql://a/x?hostaddr=127.0.0.1", "postgresql://a/x?passfile=/etc/passwd",
        "postgresql://a/x?service=x", "postgresql://a/x?sslkey=/etc/shadow"}) {
    EXPECT_EQ(code_of(run("SELECT 1", {{"url", url}})), "sql.url") << url;
  }
  EXPECT_EQ(code_of(run("SELECT 1", {{"url", "postgresql://u:s3cret@[::1/x"}})), "sql.url");
}

TEST_F(SqlTest, SaysWhenNobodyListens) {
  std::uint16_t free_port = 0;
  {
    free_port = TestPeer([](TestConversation&) {}).port();
  }
  const auto output =
      run("SELECT 1", {{"url", "postgresql://u:s3cret@127.0.0.1:" + std::to_string(free_port) + "/x"}});
  EXPECT_EQ(code_of(output), "sql.connect");
  EXPECT_TRUE(output.error().retryable);
  EXPECT_EQ(output.error().message.find("s3cret"), std::string::npos);
  const TestPeer silent([](TestConversation& c) { c.wait_for_close(); });
  EXPECT_EQ(
      code_of(run("SELECT 1", {{"url", "postgresql://127.0.0.1:" + std::to_string(silent.port()) + "/x"}},
                  Milliseconds(200))),
      "sql.timeout");
}

}  // namespace
}  // namespace fp::tasks

#include "app/client/api_client.hpp"
#include "app/commands.hpp"
#include "app/host.hpp"
#include "base/json_parse.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace fp::app {

namespace {

/// One line a finding; remembers whether any is bad.
class Findings {
 public:
  void good(const std::string& text) { fmt::print("ok    {}\n", text); }
  void note(const std::string& text) { fmt::print("note  {}\n", text); }
  void bad(const std::string& text) {
    fmt::print("BAD   {}\n", text);
    any_bad_ = true;
  }
  ExitCode exit_code() const { return any_bad_ ? kExecutionFailed : kOk; }

 private:
  bool any_bad_ = false;
};

/// The median of 50 fdatasyncs of an appended 256 bytes; nullopt when the directory can not be written.
std::optional<std::chrono::microseconds> measure_sync(const std::filesystem::path& directory) {
  const auto file = (directory / ".doctor").string();
  const int fd = open(file.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return std::nullopt;
  std::vector<std::chrono::microseconds> times;
  const std::string block(256, 'x');
  for (int i = 0; i < 50; ++i) {
    const auto began = std::chrono::steady_clock::now();
    if (write(fd, block.data(), block.size()) < 0 || fdatasync(fd) != 0) break;
    times.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began));
  }
  close(fd);
  unlink(file.c_str());
  if (times.empty()) return std::nullopt;
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

void check_storage(const Settings& settings, Findings& out) {
  const auto directory = settings.data_dir();
  std::error_code ec;
  if (!std::filesystem::exists(directory, ec))
    return out.note(fmt::format("the data directory {} does not exist yet; the first start makes it",
                                directory.string()));
  auto store = store::SqliteStore::open(directory, {.read_only = true});
  if (!store) return out.bad(fmt::format("data directory {}: {}", directory.string(), store.error().message));
  std::uint64_t total = 0;
  for (const auto& [status, count] : (*store)->count_by_status()) total += count;
  out.good(fmt::format("data directory {}: {} executions, SQLite {}", directory.string(), total,
                       sqlite3_libversion()));
  if (const auto sync = measure_sync(directory)) {
    // A disk answers in more than 20 us; less means that a cache without a battery lies about it.
    const auto text = fmt::format("a durable write takes {} us", sync->count());
    sync->count() < 20
        ? out.note(text + ": so fast that the disk may not really write; check its cache settings")
        : out.good(text);
  } else {
    out.bad(fmt::format("{} is not writable for this user", directory.string()));
  }
  const auto space = std::filesystem::space(directory, ec);
  constexpr std::uintmax_t kLow = 1u << 30;
  const auto text = fmt::format("{} MiB free on its disk", space.available >> 20);
  space.available < kLow ? out.bad(text + ": commits stop when it is full") : out.good(text);
}

void check_sandbox(Findings& out) {
  sandbox::SandboxedEvaluator evaluator;
  const auto problems = evaluator.check_syntax({"1 + 1"});
  const auto layers = evaluator.status().layers;
  if (problems.size() == 1 && !problems[0] && !layers.empty())
    out.good(fmt::format("expressions run in a process of their own: {}", layers));
  else
    out.bad(
        "the process that evaluates expressions (flowpilot-sandbox, beside this program) does not answer");
}

Result<Json> ask_readiness(const Settings& settings) {
  auto client = ApiClient::make(settings);
  if (!client) return client.error();
  const auto answer = client->send("GET", "/readyz", "");
  if (!answer) return answer.error();
  return parse_json(answer->body);
}

void check_server(const Settings& settings, Findings& out) {
  const auto ready = ask_readiness(settings);
  if (!ready)
    return out.note(fmt::format("no server at {}: {}", settings.text("address"), ready.error().message));
  for (const auto& check : ready->at("checks").get_array()) {
    const auto text = fmt::format("server, {}: {}", json_string(check, "name"), json_string(check, "text"));
    check.at("ok").get_bool() ? out.good(text) : out.bad(text);
  }
}

}  // namespace

ExitCode doctor_command(bool quick, const Settings& settings) {
  if (quick) {
    const auto ready = ask_readiness(settings);
    if (!ready) return report(ready.error());
    fmt::print("{}\n", json_string(*ready, "status"));
    return json_string(*ready, "status") == "ready" ? kOk : kUnavailable;
  }
  Findings findings;
  check_storage(settings, findings);
  check_sandbox(findings);
  check_server(settings, findings);
  return findings.exit_code();
}

}  // namespace fp::app

#include "server_scale.hpp"

#include "base/time.hpp"
#include "bench_session.hpp"
#include "store/history_bench.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <thread>

namespace fp::bench {

namespace fs = std::filesystem;

namespace {

/// A load of about `per_second` tasks, in its own thread, as long as `work` takes.
void under_load(Bench& bench, const std::string& path, double per_second, const std::function<void()>& work) {
  std::atomic<bool> is_over{false};
  std::thread load([&] {
    while (!is_over) bench.submit(path, 64, static_cast<std::size_t>(per_second / 20), per_second / 10);
  });
  work();
  is_over = true;
  load.join();
}

void reads(Bench& bench, const std::string& name) {
  const auto ten = bench.make(chain(10));
  const auto page = call_api(bench.port(), "GET", "/api/executions/?limit=1");
  const auto id = json_string(page.at("results").as_array().at(0), "id");
  const struct {
    const char* what;
    std::string target;
    double per_second = 2000;
  } kinds[] = {{"one execution", "/api/executions/" + id + "/"},
               {"list of 50", "/api/executions/"},
               {"list by status", "/api/executions/?status=failed"},
               {"count by status", "/api/executions/?status=failed&limit=1"},
               {"stats", "/api/stats/", 200}};  // a page asks for them, not a program
  for (const auto& kind : kinds) {
    const auto alone = bench.read({kind.target}, 1, 500);
    Measured busy;
    under_load(bench, ten, 5000, [&] {
      busy = bench.read({kind.target}, 128, static_cast<std::size_t>(2 * kind.per_second), kind.per_second);
    });
    row(fmt::format("{}: {}, alone p50 / p99", name, kind.what), pair_of(alone), "50 ms", "10 ms",
        fmt::format("at {:.0f}/s while 5,000 tasks/s run: {}{}", kind.per_second, pair_of(busy),
                    faults(busy)));
  }
  Measured mixed;
  under_load(bench, ten, 5000, [&] {
    mixed = bench.read({kinds[0].target, kinds[1].target, kinds[4].target}, 128, 6000, 2000);
  });
  row(fmt::format("{}: one, list and stats, 2,000/s beside 5,000 tasks/s, p99", name),
      fmt::format("{:.1f} ms", mixed.p99()), "50 ms", "10 ms",
      fmt::format("p50 {:.1f}{}", mixed.p50(), faults(mixed)));
  bench.drain();
}

}  // namespace

void sleepers(const fs::path& folder, std::size_t count) {
  Bench bench(folder / "data");
  const auto path = bench.make(document("sleep", {step("d", "delay", {}, JsonObject{{"seconds", 86'400}})}));
  bench.submit(path, 32, 2000);
  const auto before = bench.server().memory();
  Measured in;
  for (std::size_t done = 0; done < count; done += 50'000)
    in.add(bench.submit(path, 64, std::min<std::size_t>(50'000, count - done)));
  const auto after = bench.server().memory();
  const auto share = static_cast<double>(count) / 1e6;
  row(fmt::format("{} sleeping executions", count),
      fmt::format("{:.1f} MB", megabytes(after) - megabytes(before)), fmt::format("{:.0f} MB", 200 * share),
      fmt::format("{:.0f} MB", 100 * share),
      fmt::format("above {:.0f} MB; {:.0f} accepted/s, p99 {:.1f} ms{}", megabytes(before), in.rate(),
                  in.p99(), faults(in)));
  bench.server().end(SIGKILL);
  Bench again(folder / "data", true);
  row("  start to ready after kill -9 with them", fmt::format("{:.0f} ms", again.server().start_ms()), "3 s",
      "1 s",
      fmt::format("{} unfinished, {:.0f} MB", again.server().unfinished(),
                  megabytes(again.server().memory())));
}

namespace {

/// When what was under way at `restart` went on, as the journals of some of them say: ms after it, sorted.
std::vector<double> find_first_events(Bench& bench, TimePoint restart) {
  std::vector<double> out;
  std::string cursor;
  do {
    const auto page = call_api(bench.port(), "GET", "/api/executions/?limit=200" + cursor);
    const auto& results = page.at("results").as_array();
    for (std::size_t i = 0; i < results.size(); i += 20) {
      const auto id = json_string(results[i], "id");
      const auto events =
          call_api(bench.port(), "GET", fmt::format("/api/executions/{}/events/?limit=1000", id));
      for (const auto& event : events.at("results").as_array()) {
        const auto at = parse_rfc3339(json_string(event, "at"));
        if (!at || *at < restart) continue;
        out.push_back(static_cast<double>((*at - restart).count()));
        break;
      }
    }
    const auto next = json_string(page, "next");
    cursor = next.empty() ? "" : "&cursor=" + next;
  } while (!cursor.empty());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

void recovery(const fs::path& folder) {
  Bench bench(folder / "data");
  const auto path = bench.make(chain(150));  // so long that none ends before the kill
  const auto one = bench.make(chain(1));
  const auto in = bench.submit(path, 64, 10'000);
  bench.server().end(SIGKILL);
  const auto begin = SteadyClock::now();
  const auto restart = SystemClock().now();
  Bench again(folder / "data", true);
  const auto ready = again.server().start_ms();
  again.run(one, 1, 1);
  const auto first = ms_since(begin);
  const auto running = again.server().unfinished();
  again.drain();
  const auto all = ms_since(begin);
  row("kill -9 with 10,000 running, start to ready", fmt::format("{:.0f} ms", ready), "3 s", "1 s",
      fmt::format("{} running; a new execution ended after {:.0f} ms{}", running, first, faults(in)));
  const auto went_on = find_first_events(again, restart);
  row("  until the last of them went on", went_on.empty() ? "?" : fmt::format("{:.0f} ms", went_on.back()),
      "3 s", "1 s",
      fmt::format("{} asked, p50 {:.0f} ms; the last of 150 steps of each ended after {:.1f} s",
                  went_on.size(), went_on.empty() ? 0 : went_on[went_on.size() / 2], all / 1000));
}

void many(const fs::path& folder) {
  Bench bench(folder / "data");
  const auto path = bench.make(chain(1));
  bench.submit(path, 64, 100'000);
  bench.drain();
  reads(bench, "100,000 executions");
}

namespace {

/// A data directory with a million ended executions of the last week, each with its rollups.
void fill(const fs::path& data) {
  auto opened = store::SqliteStore::open(data);
  if (!opened) throw std::runtime_error(opened.error().message);
  constexpr std::uint64_t kExecutions = 1'000'000;
  const auto start = SystemClock().now() - std::chrono::days(7);
  for (std::uint64_t number = 1; number <= kExecutions;) {
    ports::Batch batch;
    for (int i = 0; i < 1000 && number <= kExecutions; ++i, ++number) {
      auto write = store::make_history(number, kExecutions, start);
      if (write.sample) batch.executions.push_back(std::move(write));  // what waits would have to go on
    }
    if (const auto committed = (*opened)->commit(batch); !committed)
      throw std::runtime_error(committed.error().message);
  }
}

}  // namespace

void million(const fs::path& folder) {
  fs::remove_all(folder / "data");
  const auto begin = SteadyClock::now();
  fill(folder / "data");
  const auto filled = ms_since(begin);
  Bench bench(folder / "data", true);
  bench.run(bench.make(chain(10)), 1, 50);
  row("1,000,000 stored executions, start to ready", fmt::format("{:.0f} ms", bench.server().start_ms()),
      "150 ms", "50 ms", fmt::format("{} in the list; made in {:.0f} s", bench.count(""), filled / 1000));
  reads(bench, "1,000,000");
}

}  // namespace fp::bench

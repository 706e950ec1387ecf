#include "base/assert.hpp"
#include "store/history_bench.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

// store_lists_bench DIRECTORY [EXECUTIONS]: how long lists, counts and rollups take as a store grows, and how
// long a commit waits at most beside a prune and beside a backup.
namespace fp::store {
namespace {

using namespace fp::ports;
using Clock = std::chrono::steady_clock;

const TimePoint kStart{Milliseconds(1'760'000'000'000)};

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

ExecutionWrite make_write(std::uint64_t number, std::uint64_t total) {
  return make_history(number, total, kStart);
}

std::unique_ptr<SqliteStore> open_store(const std::filesystem::path& path) {
  auto opened = SqliteStore::open(path);
  if (!opened) throw Unavailable(opened.error());
  return std::move(*opened);
}

void fill(Store& store, std::uint64_t total) {
  const auto start = Clock::now();
  for (std::uint64_t number = 1; number <= total;) {
    Batch batch;
    for (int i = 0; i < 200 && number <= total; ++i, ++number)
      batch.executions.push_back(make_write(number, total));
    FP_ASSERT(store.commit(batch).has_value(), "the benchmark owns its shard");
  }
  fmt::print("{} executions with their rollups, 200 a commit: {:.0f}/s\n", total,
             static_cast<double>(total) / ms_since(start) * 1e3);
}

struct Verb {
  const char* name;
  std::function<std::size_t(Store&, std::uint64_t total)> run;
};

std::vector<Verb> verbs() {
  const auto page = [](ExecutionFilter filter, bool from_the_middle = false) {
    return [=](Store& store, std::uint64_t total) {
      const auto before = from_the_middle ? std::optional(total / 2) : std::nullopt;
      return store.list_executions(filter, before, 50).items.size();
    };
  };
  const auto count = [](ExecutionFilter filter) {
    return [=](Store& store, std::uint64_t) {
      return static_cast<std::size_t>(store.count_executions(filter, 10'000).count);
    };
  };
  const auto rollups = [](RollupFilter filter) {
    filter.since = kStart;
    filter.until = kStart + kHistorySpan;
    return [=](Store& store, std::uint64_t) { return store.list_rollups(filter).size(); };
  };
  const auto id = to_string(make_id<WorkflowId>(3));
  return {
      {"find_execution",
       [](Store& store, std::uint64_t total) {
         return std::size_t{store.find_execution(make_id<ExecutionId>(total / 3)).has_value()};
       }},
      {"page: newest", page({})},
      {"page: from the middle", page({}, true)},
      {"page: completed", page({.status = {"completed"}})},
      {"page: failed or cancelled", page({.status = {"failed", "cancelled"}}, true)},
      {"page: unfinished", page({.unfinished_only = true})},
      {"page: workflow by id", page({.workflow = id}, true)},
      {"page: workflow by name", page({.workflow = "workflow 3"})},
      {"page: failed of a workflow", page({.status = {"failed"}, .workflow = id})},
      {"page: completed of a workflow", page({.status = {"completed"}, .workflow = id})},
      {"page: failed of a workflow that has none", page({.status = {"failed"}, .workflow = "workflow 4"})},
      {"page: label", page({.label = "customer=c5"})},
      {"page: search that finds", page({.search = "crm"})},
      {"page: search that finds nothing (50,000 rows)", page({.search = "nothing like it"})},
      {"count: all", count({})},
      {"count: failed of a workflow", count({.status = {"failed"}, .workflow = id})},
      {"count: by search (50,000 rows)", count({.search = "crm"})},
      {"count_by_status", [](Store& store, std::uint64_t) { return store.count_by_status().size(); }},
      {"list_rollups: a week", rollups({})},
      {"list_rollups: a week of a workflow with its steps", rollups({.workflow = id, .with_steps = true})},
  };
}

double median_ms(const Verb& verb, Store& store, std::uint64_t total, std::size_t& rows) {
  std::vector<double> times;
  for (int i = 0; i < 9; ++i) {
    const auto start = Clock::now();
    rows = verb.run(store, total);
    times.push_back(ms_since(start));
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

/// Commits go on beside `work`; prints how long one waits.
void beside_commits(Store& store, const char* what, std::uint64_t first,
                    const std::function<std::string()>& work) {
  std::atomic<bool> done{false};
  std::vector<double> waits;
  std::thread commits([&] {
    for (std::uint64_t number = first; !done; ++number) {
      Batch batch;
      batch.executions.push_back(make_write(number, 1'000'000));
      const auto start = Clock::now();
      FP_ASSERT(store.commit(batch).has_value(), "the benchmark owns its shard");
      waits.push_back(ms_since(start));
    }
  });
  const auto start = Clock::now();
  const auto said = work();
  const auto took = ms_since(start);
  done = true;
  commits.join();
  std::ranges::sort(waits);
  fmt::print("{} in {:.1f} s ({}), {} commits beside it: p50 {:.2f} p99 {:.2f} longest {:.1f} ms\n", what,
             took / 1e3, said, waits.size(), waits[waits.size() / 2], waits[waits.size() * 99 / 100],
             waits.back());
}

std::uint64_t size_of(const std::filesystem::path& path) {
  return std::filesystem::file_size(path / "flowpilot.db") >> 20;
}

void run(const std::filesystem::path& directory, std::uint64_t most) {
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t size = most; size >= 10'000 && sizes.size() < 3; size /= 10)
    sizes.insert(sizes.begin(), size);
  const auto all = verbs();
  std::vector<std::string> lines;
  for (const auto& verb : all) lines.push_back(fmt::format("{:50}", verb.name));
  for (const auto size : sizes) {
    const auto path = directory / std::to_string(size);
    std::filesystem::remove_all(path);
    const auto store = open_store(path);
    fill(*store, size);
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::size_t rows = 0;
      const auto time = median_ms(all[i], *store, size, rows);
      lines[i] += fmt::format("{:10.3f} ms {:>7}", time, fmt::format("({})", rows));
    }
  }
  fmt::print("\n{:50}", "executions");
  for (const auto size : sizes) fmt::print("{:21}", size);
  for (const auto& line : lines) fmt::print("\n{}", line);
  fmt::print("\n\n");

  const auto path = directory / std::to_string(most);
  {
    const auto store = open_store(path);
    beside_commits(*store, "nothing else", 2 * most, [] {
      std::this_thread::sleep_for(std::chrono::seconds(3));
      return std::string("for comparison");
    });
    beside_commits(*store, "backup", 3 * most, [&] {
      const auto target = directory / "backup";
      std::filesystem::remove_all(target);
      const auto done = store->back_up(target);
      return done ? fmt::format("{} MB", size_of(target)) : done.error().message;
    });
    beside_commits(*store, "prune", 4 * most, [&] {
      const auto before = kStart + Milliseconds(static_cast<std::int64_t>(most / 5) *
                                                (kHistorySpan.count() / static_cast<std::int64_t>(most)));
      std::size_t pruned = 0;
      const auto size = size_of(path);
      for (bool more = true; more;) {
        const auto part = store->prune({}, before, {}, 500);
        pruned += part.executions;
        more = part.more;
      }
      return fmt::format("{} executions, {} MB to {} MB", pruned, size, size_of(path));
    });
  }
  for (const auto size : sizes) std::filesystem::remove_all(directory / std::to_string(size));
  std::filesystem::remove_all(directory / "backup");
}

}  // namespace
}  // namespace fp::store

int main(int argc, char** argv) {
  const std::filesystem::path directory =
      argc > 1 ? argv[1] : std::filesystem::temp_directory_path() / "flowpilot-lists-bench";
  std::filesystem::create_directories(directory);
  try {
    fp::store::run(directory, argc > 2 ? std::stoull(argv[2]) : 1'000'000);
  } catch (const fp::Unavailable& failed) {
    fmt::print(stderr, "{}\n", failed.error().message);
    return 74;
  }
  return 0;
}

#include "base/assert.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

// store_bench DIRECTORY: what the store does on this disk, beside the disk's own rate measured in the same
// run.
namespace fp::store {
namespace {

using namespace fp::ports;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

ExecutionId make_id(std::uint64_t number) {
  ExecutionId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  id.bytes[15] = static_cast<std::uint8_t>(number * 37);
  return id;
}

ExecutionSummary make_summary(std::uint64_t number, std::string status) {
  ExecutionSummary summary;
  summary.id = make_id(number);
  summary.workflow_name = "signup";
  summary.version_hash = std::string(64, 'a');
  summary.started_at = TimePoint(Milliseconds(1'760'000'000'000 + static_cast<std::int64_t>(number)));
  if (is_terminal_status(status)) summary.completed_at = summary.started_at;
  summary.status = std::move(status);
  return summary;
}

ExecutionWrite make_write(std::uint64_t number, std::uint64_t seq) {
  ExecutionWrite write;
  write.id = make_id(number);
  write.row = JournalRow{seq, 1, TimePoint(Milliseconds(1'760'000'000'000)), std::string(150, 'e'), {}};
  if (seq == 1) write.summary = make_summary(number, "running");
  return write;
}

/// Appends of 8 KiB over a file that exists already, as a WAL in steady state.
double measure_disk(const std::filesystem::path& directory) {
  const auto name = directory / "fdatasync";
  const int file = open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  const std::string block(8192, 'x');
  constexpr int kBlocks = 512;
  for (int i = 0; i < kBlocks; ++i)
    FP_ASSERT(pwrite(file, block.data(), block.size(), i * 8192L) == 8192, "benchmark");
  sync();
  constexpr int kRounds = 1000;
  const auto start = Clock::now();
  for (int i = 0; i < kRounds; ++i) {
    FP_ASSERT(pwrite(file, block.data(), block.size(), i % kBlocks * 8192L) == 8192, "benchmark");
    fdatasync(file);
  }
  const double rate = kRounds / seconds_since(start);
  close(file);
  unlink(name.c_str());
  return rate;
}

std::unique_ptr<Store> open_store(const std::filesystem::path& path) {
  auto opened = SqliteStore::open(path);
  if (!opened) throw Unavailable(opened.error());
  return std::move(*opened);
}

/// `active` executions of 40 events each take turns.
void measure_commits(const std::filesystem::path& directory, std::size_t rows, std::uint64_t active) {
  const double disk = measure_disk(directory);
  const auto path = directory / fmt::format("commits-{}-{}", rows, active);
  auto store = open_store(path);
  const std::size_t commits = std::max<std::size_t>(200, std::min<std::size_t>(8'000, 400'000 / rows));
  std::vector<std::uint64_t> seqs(active, 0);
  std::vector<std::uint64_t> numbers(active);
  std::uint64_t next_number = 0;
  for (auto& number : numbers) number = ++next_number;
  std::vector<double> latencies;
  double busy = 0;
  std::size_t turn = 0;
  for (std::size_t i = 0; i < commits; ++i) {
    Batch batch;
    for (std::size_t row = 0; row < rows; ++row) {
      const auto slot = turn++ % active;
      if (seqs[slot] == 40) {
        seqs[slot] = 0;
        numbers[slot] = ++next_number;
      }
      batch.executions.push_back(make_write(numbers[slot], ++seqs[slot]));
    }
    const auto start = Clock::now();
    FP_ASSERT(store->commit(batch).has_value(), "the benchmark owns its shard");
    latencies.push_back(seconds_since(start));
    busy += latencies.back();
  }
  store.reset();
  std::ranges::sort(latencies);
  const double total = static_cast<double>(rows * commits);
  const double rate = static_cast<double>(commits) / busy;
  fmt::print(
      "{:5} rows a commit, {:5} active: {:8.0f} rows/s {:7.0f} commits/s, {:.2f} of {:.0f} fdatasync/s; p50 "
      "{:.2f} ms p99 {:.2f} "
      "max {:.2f}, {:.0f} bytes a row in the file\n",
      rows, active, total / busy, rate, rate / disk, disk, latencies[latencies.size() / 2] * 1e3,
      latencies[latencies.size() * 99 / 100] * 1e3, latencies.back() * 1e3,
      static_cast<double>(std::filesystem::file_size(path / "flowpilot.db")) / total);
  std::filesystem::remove_all(path);
}

void measure_prune_under_load(Store& store) {
  std::atomic<bool> done{false};
  std::vector<double> latencies;
  std::thread writer([&] {
    for (std::uint64_t number = 2'000'000; !done; ++number) {
      Batch batch;
      batch.executions.push_back(make_write(number, 1));
      const auto start = Clock::now();
      FP_ASSERT(store.commit(batch).has_value(), "the benchmark owns its shard");
      latencies.push_back(seconds_since(start));
    }
  });
  std::size_t pruned = 0;
  const auto began = Clock::now();
  for (int i = 0; i < 500; ++i)
    pruned += store.prune({}, TimePoint(Milliseconds(1'760'001'000'000)), {}, 500).executions;
  const double rate = static_cast<double>(pruned) / seconds_since(began);
  done = true;
  writer.join();
  std::ranges::sort(latencies);
  fmt::print(
      "    prune in chunks of 500 beside commits: {:.0f} executions/s; a commit waits p50 {:.2f} p99 {:.2f} "
      "max {:.1f} ms\n",
      rate, latencies[latencies.size() / 2] * 1e3, latencies[latencies.size() * 99 / 100] * 1e3,
      latencies.back() * 1e3);
}

void measure_open(const std::filesystem::path& directory) {
  const auto path = directory / "million";
  {
    auto store = open_store(path);
    constexpr std::uint64_t kFinished = 1'000'000;
    for (std::uint64_t number = 1; number <= kFinished;) {
      Batch batch;
      for (int i = 0; i < 5'000; ++i, ++number) {
        batch.executions.push_back(make_write(number, 1));
        const bool is_unfinished = number % 100'000 == 0;
        batch.executions.back().summary = make_summary(number, is_unfinished ? "waiting" : "completed");
      }
      FP_ASSERT(store->commit(batch).has_value(), "the benchmark owns its shard");
    }
  }
  sync();
  auto start = Clock::now();
  auto store = open_store(path);
  const double opened = seconds_since(start);
  const auto time = [&](const char* what, auto&& verb) {
    start = Clock::now();
    const auto count = verb();
    fmt::print("    {:40} {:8.3f} ms ({})\n", what, seconds_since(start) * 1e3, count);
  };
  fmt::print("with 1,000,000 executions ({:.0f} bytes each): open {:.2f} ms\n",
             static_cast<double>(std::filesystem::file_size(path / "flowpilot.db")) / 1e6, opened * 1e3);
  const auto list = [&](const ExecutionFilter& filter) {
    return store->list_executions(filter, std::nullopt, 100).items.size();
  };
  time("list unfinished", [&] { return list({.unfinished_only = true}); });
  time("list newest 100", [&] { return list({}); });
  time("list failed (none)", [&] { return list({.status = {"failed"}}); });
  time("list of one workflow", [&] { return list({.workflow = "signup"}); });
  time("list of an unknown workflow", [&] { return list({.workflow = "nothing"}); });
  time("prune 100",
       [&] { return store->prune({}, TimePoint(Milliseconds(1'760'001'000'000)), {}, 100).executions; });
  measure_prune_under_load(*store);
  store.reset();
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace fp::store

int main(int argc, char** argv) {
  const std::filesystem::path directory =
      argc > 1 ? argv[1] : std::filesystem::temp_directory_path() / "flowpilot-bench";
  std::filesystem::create_directories(directory);
  try {
    for (const std::size_t rows : {1, 10, 100, 1000}) {
      for (const std::uint64_t active : {1, 1000}) fp::store::measure_commits(directory, rows, active);
    }
    fp::store::measure_open(directory);
  } catch (const fp::Unavailable& failed) {
    fmt::print(stderr, "{}\n", failed.error().message);
    return 74;
  }
  return 0;
}

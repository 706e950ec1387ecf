#include "functions_bench.hpp"

#include "bench_session.hpp"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>
#include <thread>

namespace fp::bench {

namespace fs = std::filesystem;

namespace {

fs::path write_functions(const fs::path& folder) {
  const auto tasks = folder / "tasks";
  fs::create_directories(tasks);
  std::ofstream(tasks / "bench.py")
      << "from flowpilot import task\n\n\n@task\ndef noop() -> None:\n    return None\n";
  return tasks;
}

Json find_worker(std::uint16_t port) {
  const auto began = SteadyClock::now();
  while (ms_since(began) < 30'000) {
    const auto page = call_api(port, "GET", "/api/workers/");
    if (!page.at("results").as_array().empty()) return page.at("results").at(0);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("no worker registered");
}

/// A workflow of one code step.
Json code_step(const char* language, const char* code) {
  return JsonObject{{"name", language},
                    {"steps", JsonArray{JsonObject{
                                  {"id", "a"},
                                  {"step_type", language},
                                  {"config", JsonObject{{"code", code}, {"input", JsonObject{{"n", 1}}}}}}}}};
}

double resident_mb(std::int64_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

void code_steps(Bench& bench) {
  const auto javascript = bench.make(code_step("javascript", "return input.n + 1"));
  bench.run(javascript, 32, 2000);
  const auto alone = bench.run(javascript, 1, 1000);
  const auto many = bench.run(javascript, 32, 10'000);
  row("javascript step, c=32", fmt::format("{:.0f}/s", many.rate()), "2,000/s", "",
      fmt::format("c=1 p50 {:.2f} ms{}", alone.p50(), faults(many)));
  const auto python = bench.make(code_step("python", "return input['n'] + 1"));
  bench.run(python, 1, 20);
  const auto fresh = bench.run(python, 1, 100);
  row("python step, a process of its own, c=1, p50", fmt::format("{:.1f} ms", fresh.p50()), "15 ms", "",
      fmt::format("p99 {:.1f} ms; strict isolation{}", fresh.p99(), faults(fresh)));
}

}  // namespace

void functions(const fs::path& folder, double syncs) {
  Bench bench(folder / "data", false, {"--tasks", write_functions(folder).string(), "--task-slots", "32"});
  const auto worker = find_worker(bench.port());
  const auto pid = json_int(worker, "pid").value_or(0);
  const auto idle = resident_mb(pid);
  const auto one = bench.make(chain(1, "bench.noop"));
  bench.run(one, 1, 500);
  const auto alone = bench.run(one, 1, 2000);
  row("Python function, one step, c=1, p50 / p99", pair_of(alone), "2.4 ms", "",
      fmt::format("a sync {:.2f} ms: {:.1f} x{}", 1000 / syncs, alone.p50() * syncs / 1000, faults(alone)));
  bench.run(one, 32, 2000);
  const auto cpu = bench.server().cpu_seconds();
  const auto many = bench.run(one, 32, 12'000);
  row("    c=32", fmt::format("{:.0f}/s", many.rate()), "4,000/s", "",
      fmt::format("{}; {:.2f} of syncs, {:.0f} us of server CPU each{}", pair_of(many), many.rate() / syncs,
                  (bench.server().cpu_seconds() - cpu) * 1e6 / 12'000, faults(many)));
  const auto open = bench.run(one, 128, 5000, 500);
  row("    500/s open loop, p99", fmt::format("{:.2f} ms", open.p99()), "20 ms", "",
      fmt::format("p50 {:.2f}, p99.9 {:.2f} ms{}", open.p50(), open.quantile(0.999), faults(open)));
  const auto forty = bench.make(chain(40, "bench.noop"));
  bench.run(forty, 1, 20);
  const auto chained = bench.run(forty, 1, 200);
  row("    40 steps one after the other, c=1, p50", fmt::format("{:.1f} ms", chained.p50()), "20 ms", "",
      fmt::format("p99 {:.1f}; 40 bare syncs {:.1f} ms: {:.1f} x{}", chained.p99(), 40'000 / syncs,
                  chained.p50() * syncs / 40'000, faults(chained)));
  code_steps(bench);
  row("    worker, idle / after this", fmt::format("{:.0f} / {:.0f} MB", idle, resident_mb(pid)), "40 MB", "",
      "resident");
}

}  // namespace fp::bench

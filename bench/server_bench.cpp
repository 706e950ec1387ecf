// The figures of `flowpilot serve`, asked over HTTP and WebSocket by another process, beside this machine's
// own limits measured in the same run. Never a test: machines differ. With an argument only the part of that
// name; "million" and "million-sleepers" take minutes and a few GB and are done only when they are named.
#include "bench_session.hpp"
#include "functions_bench.hpp"
#include "live_clients.hpp"
#include "machine_limits.hpp"
#include "schedules_bench.hpp"
#include "server_scale.hpp"
#include "webhooks_bench.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <sys/resource.h>

namespace fp::bench {

namespace {

namespace fs = std::filesystem;

Json branches(std::size_t count) {
  JsonArray list;
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i)
    list.push_back(step(all.emplace_back(fmt::format("s{}", i)), "noop", {}));
  list.push_back(step("joined", "noop", all));
  return document("branches", std::move(list));
}

Json items() {
  auto each = step("each", "noop", {});
  each.as_object()["for_each"] = "{{ input.items }}";
  each.as_object()["max_parallel"] = 1000;
  return document("items", {std::move(each), step("joined", "noop", {"each"})});
}

/// Waits for a signal, then writes twenty lines with a pause before each.
Json talker() {
  JsonArray list;
  list.push_back(step("go", "wait_signal", {}, JsonObject{{"name", "go"}}));
  std::string last = "go";
  for (int i = 0; i < 20; ++i) {
    const auto pause = fmt::format("p{}", i);
    const auto line = fmt::format("l{}", i);
    list.push_back(step(pause, "delay", {last}, JsonObject{{"seconds", 0.1}}));
    list.push_back(step(line, "log", {pause}, JsonObject{{"message", line}}));
    last = line;
  }
  return document("talker", std::move(list));
}

struct Machine {
  double syncs = 0;
  double requests = 0;
  double round_trip_ms = 0;
};

Machine measure_machine(const fs::path& folder) {
  Machine out;
  out.syncs = measure_fdatasync_rate(folder);
  Bench bench(folder / "data");
  out.requests = bench.read({"/healthz"}, 32, 40'000).rate();
  out.round_trip_ms = bench.read({"/healthz"}, 1, 3000).p50();
  row("disk: 256 bytes + fdatasync", fmt::format("{:.0f}/s", out.syncs), "", "",
      fmt::format("{:.3f} ms each", 1000 / out.syncs));
  row("GET /healthz, 32 connections", fmt::format("{:.0f}/s", out.requests), "", "",
      fmt::format("alone {:.3f} ms; this client is one thread", out.round_trip_ms));
  return out;
}

void start(const fs::path& folder) {
  std::vector<double> times;
  for (int i = 0; i < 9; ++i) times.push_back(Bench(folder / "data").server().start_ms());
  std::sort(times.begin(), times.end());
  row("process start to ready, new directory", fmt::format("{:.0f} ms", times[4]), "150 ms", "50 ms",
      "median of 9");
  Bench bench(folder / "data");
  row("  idle, server and its children", fmt::format("{:.1f} MB", megabytes(bench.server().memory())),
      "60 MB", "30 MB", "proportional set size");
}

void single(Bench& bench, const Machine& machine) {
  const auto path = bench.make(chain(1));
  bench.run(path, 1, 300);
  const auto one = bench.run(path, 1, 2000);
  row("(a) one step, request to result, c=1, p50 / p99", pair_of(one), "1.2 / 5 ms", "0.6 / 3",
      fmt::format("a bare request {:.2f} + a sync {:.2f} ms: {:.1f} x{}", machine.round_trip_ms,
                  1000 / machine.syncs, one.p50() / (machine.round_trip_ms + 1000 / machine.syncs),
                  faults(one)));
  for (const std::size_t connections : {32u, 128u}) {
    bench.run(path, connections, 1000);
    const auto cpu = bench.server().cpu_seconds();
    const auto many = bench.run(path, connections, 12'000);
    const auto used = (bench.server().cpu_seconds() - cpu) * 1e6 / 12'000;
    row(fmt::format("    c={}", connections), fmt::format("{:.0f}/s", many.rate()),
        connections == 32 ? "4,000/s" : "", connections == 32 ? "8,000/s" : "",
        fmt::format("{}; {:.2f} of bare requests, {:.2f} of syncs, {:.0f} us of server CPU each{}",
                    pair_of(many), many.rate() / machine.requests, many.rate() / machine.syncs, used,
                    faults(many)));
  }
  const auto open = bench.run(path, 256, 5000, 500);
  row("(e) 500/s open loop, request to result, p99", fmt::format("{:.2f} ms", open.p99()), "15 ms", "6 ms",
      fmt::format("p50 {:.2f}, p99.9 {:.2f} ms{}", open.p50(), open.quantile(0.999), faults(open)));
  const auto accepted = bench.submit(path, 256, 10'000, 1000);
  row("start to durable 202, 1,000/s open loop, p50 / p99", pair_of(accepted), "", "",
      fmt::format("p99.9 {:.2f} ms{}", accepted.quantile(0.999), faults(accepted)));
  bench.drain();
}

void forty(Bench& bench, const Machine& machine) {
  const auto path = bench.make(chain(40));
  bench.run(path, 1, 20);
  const auto one = bench.run(path, 1, 200);
  row("(b) 40 noop steps, each durable, c=1, p50", fmt::format("{:.1f} ms", one.p50()), "12 ms", "7 ms",
      fmt::format("p99 {:.1f}; 40 bare syncs {:.1f} ms: {:.1f} x{}", one.p99(), 40'000 / machine.syncs,
                  one.p50() * machine.syncs / 40'000, faults(one)));
  bench.run(path, 32, 200);
  const auto cpu = bench.server().cpu_seconds();
  const auto many = bench.run(path, 32, 2000);
  const auto used = (bench.server().cpu_seconds() - cpu) * 1e6 / 80'000;
  row("    c=32, durable steps", fmt::format("{:.0f}/s", many.rate() * 40), "20,000/s", "50,000/s",
      fmt::format("{:.1f} a sync, {:.1f} us of server CPU each{}", many.rate() * 40 / machine.syncs, used,
                  faults(many)));
}

void fan(Bench& bench) {
  const auto steps = bench.make(branches(100));
  bench.run(steps, 1, 20);
  const auto by_step = bench.run(steps, 1, 200);
  row("(c) 100 branches + join, p50", fmt::format("{:.2f} ms", by_step.p50()), "6 ms", "3 ms",
      fmt::format("p99 {:.2f}{}", by_step.p99(), faults(by_step)));
  const auto each = bench.make(items());
  JsonArray list;
  for (int i = 0; i < 100; ++i) list.push_back(i);
  const auto body =
      to_text(JsonObject{{"input", JsonObject{{"items", std::move(list)}}}, {"wait_seconds", 60}});
  bench.run(each, 1, 20, 0, body);
  const auto by_item = bench.run(each, 1, 200, 0, body);
  row("    for_each of 100 + join, p50", fmt::format("{:.2f} ms", by_item.p50()), "6 ms", "3 ms",
      fmt::format("p99 {:.2f}{}", by_item.p99(), faults(by_item)));
}

void burst(Bench& bench, const Machine& machine) {
  const auto path = bench.make(chain(10));
  bench.run(path, 100, 500);
  std::vector<double> times;
  std::string wrong;
  for (int i = 0; i < 5; ++i) {
    const auto all = bench.run(path, 1000, 1000);
    times.push_back(all.seconds);
    wrong += faults(all);
  }
  std::sort(times.begin(), times.end());
  row("(d) 1,000 executions x 10 steps, to the last end", fmt::format("{:.2f} s", times[2]), "0.6 s", "0.3 s",
      fmt::format("median of {:.2f} to {:.2f}; {:.0f} steps/s, {:.1f} a sync{}", times[0], times[4],
                  10'000 / times[2], 10'000 / times[2] / machine.syncs, wrong));
}

void backlog(Bench& bench, const Machine& machine) {
  const auto path = bench.make(chain(1));
  std::vector<double> rates;
  std::string beside;
  for (int i = 0; i < 3; ++i) {
    const auto begin = SteadyClock::now();
    const auto in = bench.submit(path, 64, 5000);
    bench.drain();
    rates.push_back(5'000'000 / ms_since(begin));
    beside = fmt::format("accepted {:.0f}/s; {:.2f} of bare requests{}", in.rate(),
                         in.rate() / machine.requests, faults(in));
  }
  std::sort(rates.begin(), rates.end());
  row("(f) submit 5,000 and drain", fmt::format("{:.0f}/s", rates[1]), "5,000/s", "10,000/s", beside);
}

/// 100 executions of `path` and a crowd that follows them to their ends.
LiveMeasured crowd(Bench& bench, const std::string& path, double& joined_ms, std::uint64_t& joined_bytes) {
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i)
    ids.push_back(json_string(call_api(bench.port(), "POST", path, JsonObject()), "id"));
  const auto begin = SteadyClock::now();
  LiveClients clients(bench.port(), ids, 2000);
  clients.wait_for_snapshots();
  joined_ms = ms_since(begin);
  joined_bytes = bench.server().memory();
  std::thread signals([&] {
    const auto make = [&](std::size_t i) {
      return post_request(fmt::format("/api/executions/{}/signals/go/", ids[i]), "{}");
    };
    run_load(bench.port(), {4, ids.size(), 0, make, is_accepted});
  });
  auto seen = clients.follow(60);
  signals.join();
  return seen;
}

void live(const fs::path& folder) {
  Bench bench(folder / "data");
  const auto path = bench.make(talker());
  double joined = 0;
  std::uint64_t with = 0;
  // The first crowd is there for what the process keeps for good; what the second leaves behind is a leak.
  crowd(bench, path, joined, with);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const auto before = bench.server().memory();
  bench.server().take_peak();
  const auto seen = crowd(bench, path, joined, with);
  const auto peak = bench.server().take_peak();
  row("2,000 live clients of 100 executions: delay p50 / p99",
      fmt::format("{:.0f} / {:.0f} ms", seen.delays.p50(), seen.delays.p99()), "", "",
      fmt::format("{} frames, {} gaps, {} resyncs, {} of 2000 saw the end; all joined in {:.0f} ms",
                  seen.frames, seen.gaps, seen.resyncs, seen.ended, joined));
  const auto left = SteadyClock::now();
  while (bench.server().memory() > before * 21 / 20 && ms_since(left) < 10'000)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto after = bench.server().memory();
  row("  memory before / joined / peak / after they left",
      fmt::format("{:.0f}/{:.0f}/{:.0f}/{:.0f} MB", megabytes(before), megabytes(with), megabytes(peak),
                  megabytes(after)),
      "+5 %", "",
      fmt::format("{:+.1f} % left behind by a second crowd; {:.1f} KB a client",
                  100 * (double(after) / double(before) - 1), (megabytes(with) - megabytes(before)) / 2));
}

}  // namespace

int run(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  const auto want = [&](const char* name) { return only.empty() || only == name; };
  const rlimit files{20'000, 20'000};
  setrlimit(RLIMIT_NOFILE, &files);
  const char* parent = std::getenv("FLOWPILOT_BENCH_DIR");
  const fs::path folder =
      fs::path(parent != nullptr ? parent : fs::current_path() / "build") / "server-bench-data";
  fs::remove_all(folder);
  fs::create_directories(folder);
  fmt::print("{:<56} {:>16} {:>12} {:>10}  {}\n", "flowpilot serve, over HTTP", "measured", "floor", "goal",
             "beside it");
  try {
    const auto machine = measure_machine(folder);
    if (want("start")) start(folder);
    if (want("steps")) {
      Bench bench(folder / "data");
      single(bench, machine);
      forty(bench, machine);
      fan(bench);
      burst(bench, machine);
      backlog(bench, machine);
    }
    if (want("live")) live(folder);
    if (want("functions")) functions(folder, machine.syncs);
    if (want("webhooks")) webhooks(folder, machine.syncs);
    if (want("schedules")) schedules(folder);
    if (want("sleepers")) sleepers(folder, 100'000);
    if (want("recovery")) recovery(folder);
    if (want("many")) many(folder);
    if (only == "million") million(folder);
    if (only == "million-sleepers") sleepers(folder, 1'000'000);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench: {}\n", error.what());
    return 1;
  }
  fs::remove_all(folder);
  return 0;
}

}  // namespace fp::bench

int main(int argc, char** argv) {
  return fp::bench::run(argc, argv);
}

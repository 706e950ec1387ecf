// The figures of `flowpilot serve`, asked over HTTP and WebSocket by another process, beside this machine's
// own limits measured in the same run. Never a test: machines differ. With an argument only the part of that
// name.
#include "live_clients.hpp"
#include "load_client.hpp"
#include "machine_limits.hpp"
#include "server_process.hpp"

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
using SteadyClock = std::chrono::steady_clock;

double ms_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

void row(const std::string& what, const std::string& figure, const std::string& floor,
         const std::string& goal, const std::string& beside) {
  fmt::print("{:<56} {:>16} {:>12} {:>10}  {}\n", what, figure, floor, goal, beside);
  std::fflush(stdout);
}

std::string pair_of(const Measured& m) {
  return fmt::format("{:.2f} / {:.2f} ms", m.p50(), m.p99());
}

std::string faults(const Measured& m) {
  return m.wrong == 0 ? "" : fmt::format("; {} WRONG: {}", m.wrong, m.first_wrong);
}

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

Json step(const std::string& id, const std::string& type, std::vector<std::string> after, Json config = {}) {
  JsonArray depends;
  for (auto& name : after) depends.push_back(Json(name));
  JsonObject out{{"id", id}, {"step_type", type}, {"depends_on", std::move(depends)}};
  if (!config.is_null()) out["config"] = std::move(config);
  return out;
}

Json document(const std::string& name, JsonArray steps) {
  return JsonObject{{"name", name}, {"steps", std::move(steps)}};
}

Json chain(std::size_t steps) {
  JsonArray list;
  for (std::size_t i = 0; i < steps; ++i)
    list.push_back(step(fmt::format("s{}", i), "noop",
                        i == 0 ? std::vector<std::string>{} : std::vector{fmt::format("s{}", i - 1)}));
  return document(fmt::format("chain{}", steps), std::move(list));
}

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

bool has_ended(unsigned status, std::string_view body) {
  return status == 200 && body.find(R"("status":"completed")") != body.npos;
}
bool is_accepted(unsigned status, std::string_view) {
  return status == 202;
}
bool is_fine(unsigned status, std::string_view) {
  return status == 200;
}

/// A server on a data directory, and what is asked of it.
class Bench {
 public:
  explicit Bench(const fs::path& folder, bool keep = false) : folder_(folder) {
    if (!keep) fs::remove_all(folder_);
    server_.emplace(fs::canonical("/proc/self/exe").parent_path() / "flowpilot", folder_);
  }

  ServerProcess& server() { return *server_; }
  std::uint16_t port() const { return server_->port(); }

  /// Creates and publishes it; returns the path to run it.
  std::string make(const Json& workflow) {
    const auto id = json_string(call_api(port(), "POST", "/api/workflows/", workflow), "id");
    call_api(port(), "POST", fmt::format("/api/workflows/{}/publish/", id), JsonObject());
    return fmt::format("/api/workflows/{}/run/", id);
  }

  Measured run(const std::string& path, std::size_t connections, std::size_t requests, double per_second = 0,
               const std::string& body = R"({"input":{},"wait_seconds":60})") {
    const auto text = post_request(path, body);
    return run_load(port(),
                    {connections, requests, per_second, [&](std::size_t) { return text; }, has_ended});
  }
  Measured submit(const std::string& path, std::size_t connections, std::size_t requests,
                  double per_second = 0) {
    const auto text = post_request(path, "{}");
    return run_load(port(),
                    {connections, requests, per_second, [&](std::size_t) { return text; }, is_accepted});
  }
  Measured read(std::vector<std::string> targets, std::size_t connections, std::size_t requests,
                double per_second = 0) {
    for (auto& target : targets) target = get_request(target);
    return run_load(port(), {connections, requests, per_second,
                             [&](std::size_t i) { return targets[i % targets.size()]; }, is_fine});
  }

  std::uint64_t count(const std::string& query) {
    const auto page = call_api(port(), "GET", "/api/executions/?limit=1&" + query);
    return static_cast<std::uint64_t>(json_int(page, "count").value_or(0));
  }
  /// Until nothing runs any more; asks often enough to see the end within 2 ms.
  void drain() {
    while (count("status=pending,running,waiting") > 0) {
    }
  }

 private:
  fs::path folder_;
  std::optional<ServerProcess> server_;
};

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
  const std::pair<const char*, std::string> kinds[] = {{"one execution", "/api/executions/" + id + "/"},
                                                       {"list of 50", "/api/executions/"},
                                                       {"list by status", "/api/executions/?status=failed"},
                                                       {"stats", "/api/stats/"}};
  for (const auto& [what, target] : kinds) {
    const auto alone = bench.read({target}, 1, 500);
    Measured busy;
    under_load(bench, ten, 5000, [&] { busy = bench.read({target}, 128, 4000, 2000); });
    row(fmt::format("{}: {}, alone p50 / p99", name, what), pair_of(alone), "50 ms", "10 ms",
        fmt::format("at 2,000/s while 5,000 tasks/s run: {}{}", pair_of(busy), faults(busy)));
  }
  Measured mixed;
  under_load(bench, ten, 5000, [&] {
    mixed = bench.read({kinds[0].second, kinds[1].second, kinds[3].second}, 128, 6000, 2000);
  });
  row(fmt::format("{}: all three, 2,000/s beside 5,000 tasks/s, p99", name),
      fmt::format("{:.1f} ms", mixed.p99()), "50 ms", "10 ms",
      fmt::format("p50 {:.1f}{}", mixed.p50(), faults(mixed)));
  bench.drain();
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

void sleepers(const fs::path& folder) {
  Bench bench(folder / "data");
  const auto path = bench.make(document("sleep", {step("d", "delay", {}, JsonObject{{"seconds", 86'400}})}));
  bench.submit(path, 32, 2000);
  const auto before = bench.server().memory();
  const auto in = bench.submit(path, 64, 100'000);
  const auto after = bench.server().memory();
  row("100,000 sleeping executions", fmt::format("{:.1f} MB", megabytes(after) - megabytes(before)), "20 MB",
      "10 MB", fmt::format("above {:.0f} MB; {:.0f} accepted/s{}", megabytes(before), in.rate(), faults(in)));
  bench.server().end(SIGKILL);
  Bench again(folder / "data", true);
  row("  start to ready after kill -9 with them", fmt::format("{:.0f} ms", again.server().start_ms()), "3 s",
      "1 s",
      fmt::format("{} unfinished, {:.0f} MB", again.server().unfinished(),
                  megabytes(again.server().memory())));
}

void recovery(const fs::path& folder) {
  Bench bench(folder / "data");
  const auto path = bench.make(chain(100));
  const auto one = bench.make(chain(1));
  const auto in = bench.submit(path, 64, 9900);
  bench.server().end(SIGKILL);
  const auto begin = SteadyClock::now();
  Bench again(folder / "data", true);
  const auto ready = again.server().start_ms();
  again.run(one, 1, 1);
  row("kill -9 with 10,000 running, start to ready", fmt::format("{:.0f} ms", ready), "3 s", "1 s",
      fmt::format("{} running; a new execution ended after {:.0f} ms{}", again.server().unfinished(),
                  ms_since(begin), faults(in)));
}

void many(const fs::path& folder) {
  Bench bench(folder / "data");
  const auto path = bench.make(chain(1));
  bench.submit(path, 64, 100'000);
  bench.drain();
  reads(bench, "100,000 executions");
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
    if (want("sleepers")) sleepers(folder);
    if (want("recovery")) recovery(folder);
    if (want("many")) many(folder);
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

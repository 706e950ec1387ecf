// The figures of the engine, each beside this machine's own limit measured in the same run. Never a test:
// machines differ.
#include "app/host.hpp"
#include "engine/scope.hpp"
#include "machine_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fcntl.h>
#include <fstream>
#include <mutex>
#include <sys/wait.h>
#include <unistd.h>

namespace fp::bench {

namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

double ms_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

void row(const std::string& what, const std::string& figure, const std::string& beside,
         const std::string& goal) {
  fmt::print("{:<58} {:>18}  {:<44} {}\n", what, figure, beside, goal);
}

Json noop(const std::string& id, std::vector<std::string> after) {
  JsonArray depends;
  for (auto& step : after) depends.push_back(Json(step));
  return JsonObject{{"id", id}, {"step_type", "noop"}, {"depends_on", std::move(depends)}};
}

Json chain(std::size_t steps) {
  JsonArray list;
  for (std::size_t i = 0; i < steps; ++i)
    list.push_back(noop(fmt::format("s{}", i),
                        i == 0 ? std::vector<std::string>{} : std::vector{fmt::format("s{}", i - 1)}));
  return JsonObject{{"name", fmt::format("chain{}", steps)}, {"steps", std::move(list)}};
}

Json fan_out(std::size_t tasks) {
  JsonArray list;
  list.push_back(JsonObject{
      {"id", "fan"}, {"step_type", "noop"}, {"for_each", "{{ input.items }}"}, {"max_parallel", 10000}});
  list.push_back(noop("joined", {"fan"}));
  return JsonObject{{"name", fmt::format("fan{}", tasks)}, {"steps", std::move(list)}};
}

Json parallel_steps(std::size_t steps) {
  JsonArray list;
  std::vector<std::string> all;
  for (std::size_t i = 0; i < steps; ++i) {
    all.push_back(fmt::format("s{}", i));
    list.push_back(noop(all.back(), {}));
  }
  list.push_back(noop("joined", all));
  return JsonObject{{"name", fmt::format("parallel{}", steps)}, {"steps", std::move(list)}};
}

/// A host on a fresh data directory, and starts that wait for their ends.
class Bench {
 public:
  explicit Bench(const fs::path& folder, bool may_sleep = false) : folder_(folder) {
    fs::remove_all(folder_);
    app::HostOptions options;
    options.data_dir = folder_;
    options.runtime.most_active = 200'000;
    options.runtime.most_pending_writes = 400'000;
    if (!may_sleep) options.runtime.keep_awake = std::chrono::hours(24);
    options.on_failure = [](const Error& error) {
      fmt::print(stderr, "bench: {}\n", error.message);
      _exit(1);
    };
    auto opened = app::Host::open(std::move(options));
    if (!opened) throw Unavailable(opened.error());
    host_ = std::move(*opened);
  }
  ~Bench() {
    host_->stop();
    fs::remove_all(folder_);
  }

  std::shared_ptr<const model::Workflow> read(Json document) {
    auto workflow = model::read_workflow(std::move(document), host_->types());
    if (!workflow) throw Unavailable(workflow.error());
    return *workflow;
  }

  /// Starts `count` executions at once and waits for all of them to end (or, with `until_recorded`, for their
  /// starts).
  double run(const std::shared_ptr<const model::Workflow>& workflow, std::size_t count, Json input,
             bool until_recorded = false) {
    const auto shared_input = make_value(std::move(input));
    std::mutex mutex;
    std::condition_variable all_done;
    std::size_t open = count;
    const auto finish = [&] {
      const std::lock_guard lock(mutex);
      if (--open == 0) all_done.notify_one();
    };
    const auto start = SteadyClock::now();
    for (std::size_t i = 0; i < count; ++i) {
      runtime::StartRequest request;
      request.id = host_->runtime().make_id();
      request.workflow = workflow;
      request.started.workflow_name = workflow->name;
      request.started.version_hash = workflow->hash;
      request.started.input = shared_input;
      request.started.seed = i;
      request.started.trigger = "manual";
      const auto id = request.id;
      host_->runtime().start_execution(std::move(request),
                                       [&, until_recorded](Result<const engine::ExecutionState*> started) {
                                         if (!started || until_recorded) finish();
                                       });
      if (!until_recorded)
        host_->runtime().watch_end(id, [&](const engine::ExecutionState&) { finish(); }, [&] { finish(); });
    }
    std::unique_lock lock(mutex);
    all_done.wait(lock, [&] { return open == 0; });
    return ms_since(start);
  }

  template <class F>
  static double median(std::size_t times, F measure) {
    std::vector<double> all;
    for (std::size_t i = 0; i < times; ++i) all.push_back(measure());
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
  }

  app::Host& host() { return *host_; }

 private:
  fs::path folder_;
  std::unique_ptr<app::Host> host_;
};

Json items(std::size_t count) {
  JsonArray list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(i);
  return JsonObject{{"items", std::move(list)}};
}

void throughput(const fs::path& folder, double syncs) {
  Bench bench(folder);
  const auto workflow = bench.read(chain(10));
  bench.run(workflow, 200, JsonObject());
  const auto before = measure_process();
  const auto ms = bench.run(workflow, 1000, JsonObject());
  const auto after = measure_process();
  const double rate = 10'000 / ms * 1000;
  row("1,000 executions x 10 noop tasks", fmt::format("{:.0f} tasks/s", rate),
      fmt::format("{:.1f} tasks per fdatasync the disk can do", rate / syncs),
      ">= 20,000 and >= 3; goal 50,000");
  row("  the same, until the last one ends", fmt::format("{:.0f} ms", ms), "", "600 ms; goal 300");
  row("  CPU a durable step",
      fmt::format("{:.1f} us", (after.cpu_seconds - before.cpu_seconds) * 1e6 / 10'000), "all threads",
      "90 us a one-step workflow");
  row("  bytes written to disk a durable step",
      fmt::format("{:.0f}", double(after.written_bytes - before.written_bytes) / 10'000),
      "write-ahead log and checkpoints", "");
  const auto one = bench.read(chain(1));
  const auto cpu = measure_process().cpu_seconds;
  const auto one_ms = bench.run(one, 5000, JsonObject());
  row("5,000 executions of one step, submitted at once",
      fmt::format("{:.0f} executions/s", 5'000'000 / one_ms),
      fmt::format("{:.0f} us of CPU each", (measure_process().cpu_seconds - cpu) * 1e6 / 5000),
      "5,000/s; goal 10,000");
}

void latency(const fs::path& folder) {
  Bench bench(folder);
  const auto one = bench.read(chain(1));
  const auto forty = bench.read(chain(40));
  bench.run(one, 1, JsonObject());
  const double step = Bench::median(201, [&] { return bench.run(one, 1, JsonObject()); });
  row("one step, start to end, alone (p50)", fmt::format("{:.2f} ms", step), "", "1.2 ms; goal 0.6");
  const double before = measure_fdatasync_rate(folder.parent_path(), 0.3);
  const double whole = Bench::median(51, [&] { return bench.run(forty, 1, JsonObject()); });
  const double bare = 40 / ((before + measure_fdatasync_rate(folder.parent_path(), 0.3)) / 2) * 1000;
  row("40 noop tasks one after another (p50)", fmt::format("{:.1f} ms", whole),
      fmt::format("40 bare fdatasyncs {:.1f} ms: {:.2f} x + 2 ms", bare, (whole - 2) / bare),
      "<= 2 x + 2 ms");
}

void fan(const fs::path& folder) {
  Bench bench(folder);
  const auto small = bench.read(fan_out(100));
  const auto large = bench.read(fan_out(10'000));
  bench.run(small, 5, items(100));
  const double hundred = Bench::median(31, [&] { return bench.run(small, 1, items(100)); });
  row("fan-out of 100 and a join (p50)", fmt::format("{:.2f} ms", hundred),
      fmt::format("{:.1f} us a task", hundred * 10), "<= 5 ms; goal 3");
  const double many = Bench::median(3, [&] { return bench.run(large, 1, items(10'000)); });
  row("fan-out of 10,000 and a join", fmt::format("{:.0f} ms", many),
      fmt::format("{:.1f} us a task: {:.2f} x that of 100", many / 10, many / 10'000 / (hundred / 100)),
      "<= 1.5 x");
  const auto few_steps = bench.read(parallel_steps(100));
  const auto many_steps = bench.read(parallel_steps(999));
  const double few = Bench::median(31, [&] { return bench.run(few_steps, 1, JsonObject()); });
  const double most = Bench::median(5, [&] { return bench.run(many_steps, 1, JsonObject()); });
  row("1,000 steps in one workflow, side by side", fmt::format("{:.1f} ms", most),
      fmt::format("{:.2f} x the time a step of 100", most / 1000 / (few / 101)), "<= 1.5 x");
}

void expressions(const fs::path& folder) {
  Bench bench(folder);
  const auto workflow = [&](const std::string& condition) {
    JsonArray list;
    list.push_back(JsonObject{{"id", "c"},
                              {"step_type", "conditional"},
                              {"for_each", nullptr},
                              {"config", JsonObject{{"condition", condition}}}});
    list[0].as_object().erase("for_each");
    return bench.read(JsonObject{{"name", condition}, {"steps", std::move(list)}});
  };
  const auto javascript = workflow("{{ input.score > 80 && input.vip }}");
  bench.run(javascript, 100, JsonObject{{"score", 90}, {"vip", true}});
  const double ms = bench.run(javascript, 10'000, JsonObject{{"score", 90}, {"vip", true}});
  row("conditional on a JavaScript expression", fmt::format("{:.0f}/s", 10'000 / ms * 1000),
      "whole durable executions", ">= 10,000/s");
  // A plain path costs no round trip, so it is timed inside the engine.
  const auto plain = workflow("{{ input.score }}");
  model::event::ExecutionStarted started;
  started.input = make_value(JsonObject{{"score", 90}});
  constexpr std::size_t kTimes = 1'000'000;
  auto state = engine::make_state({}, plain);
  engine::advance(state, engine::input::Start{started}, TimePoint{});
  const engine::TaskScope scope(state, {0, model::kNoItem});
  std::size_t truths = 0;
  const auto begin = SteadyClock::now();
  for (std::size_t i = 0; i < kTimes; ++i)
    truths += plain->steps[0].config.render(scope, {}).has_value() ? 1 : 0;
  row("plain path, rendered in the engine",
      fmt::format("{:.1f} M/s", double(truths) / ms_since(begin) / 1000), "", ">= 1 M/s");
}

void sleepers(const fs::path& folder) {
  Bench bench(folder, true);
  const auto workflow = bench.read(JsonObject{
      {"name", "sleep"},
      {"steps", JsonArray{JsonObject{
                    {"id", "d"}, {"step_type", "delay"}, {"config", JsonObject{{"seconds", 86'400}}}}}}});
  bench.run(workflow, 1000, JsonObject(), true);
  const auto idle = measure_process().resident_bytes;
  for (int i = 0; i < 100; ++i) bench.run(workflow, 1000, JsonObject(), true);
  const auto now = measure_process().resident_bytes;
  row("100,000 executions waiting on timers", fmt::format("{:.1f} MB", double(now - idle) / 1e6),
      fmt::format("above {:.0f} MB idle", double(idle) / 1e6), "<= 20 MB");
}

double run_program(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const auto start = SteadyClock::now();
  const auto child = vfork();
  if (child == 0) {
    const int null = open("/dev/null", 2);
    dup2(null, 1);
    dup2(null, 2);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) fmt::print(stderr, "bench: {} failed\n", fmt::join(arguments, " "));
  return ms_since(start);
}

void processes(const fs::path& folder) {
  const auto program = (fs::canonical("/proc/self/exe").parent_path() / "flowpilot").string();
  fs::create_directories(folder);
  const auto save = [&](const std::string& name, const Json& document) {
    std::ofstream(folder / name) << to_text(document);
    return (folder / name).string();
  };
  const auto big = save("big.json", chain(1000));
  const auto set = save(
      "set.json",
      JsonObject{{"name", "set"},
                 {"steps", JsonArray{JsonObject{
                               {"id", "s"}, {"step_type", "set"}, {"config", JsonObject{{"values", 1}}}}}}});
  row("flowpilot validate, 1,000 steps, whole process",
      fmt::format("{:.0f} ms", Bench::median(7, [&] { return run_program({program, "validate", big}); })), "",
      "<= 50 ms");
  row("flowpilot run, one set step, whole process",
      fmt::format("{:.0f} ms", Bench::median(7,
                                             [&] {
                                               return run_program({program, "run", set, "--data-dir",
                                                                   (folder / "data").string()});
                                             })),
      "new or used data directory", "<= 60 ms");
  fs::remove_all(folder);
}

void million(const fs::path& folder) {
  {
    Bench filler(folder / "gone");
  }
  fs::remove_all(folder);
  constexpr std::size_t kExecutions = 1'000'000;
  app::HostOptions options;
  options.data_dir = folder;
  auto host = app::Host::open(options);
  if (!host) throw Unavailable(host.error());
  SystemRng rng;
  const auto now = (*host)->clock().now();
  for (std::size_t done = 0; done < kExecutions; done += 5000) {
    ports::Batch batch;
    batch.fence = (*host)->runtime().fence();
    for (std::size_t i = 0; i < 5000; ++i) {
      ports::ExecutionWrite write;
      write.id = make_uuid7<ExecutionId>(now, rng);
      write.row = ports::JournalRow{1, 1, now, "[]", {}};
      auto& summary = write.summary.emplace();
      summary.id = write.id;
      summary.workflow_name = "old";
      summary.version_hash = "hash";
      summary.status = "completed";
      summary.started_at = now;
      summary.completed_at = now;
      batch.executions.push_back(std::move(write));
    }
    if (const auto committed = (*host)->store().commit(batch); !committed)
      throw Unavailable(committed.error());
  }
  (*host)->stop();
  const auto start = SteadyClock::now();
  auto again = app::Host::open(options);
  (*again)->runtime().recover_all();
  row("start with 1,000,000 finished executions in the file", fmt::format("{:.0f} ms", ms_since(start)),
      "open, claim, look for what is unfinished", "<= 150 ms");
  (*again)->stop();
  fs::remove_all(folder);
}

}  // namespace

int run(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  const fs::path folder = fs::current_path() / "build" / "bench-data";
  fs::create_directories(folder);
  const double syncs = measure_fdatasync_rate(folder);
  fmt::print("{:<58} {:>18}  {:<44} {}\n", "", "measured", "beside it", "wanted");
  row("this disk: append 256 bytes + fdatasync", fmt::format("{:.0f}/s", syncs),
      fmt::format("{:.3f} ms each", 1000 / syncs), "");
  const auto want = [&](const char* name) { return only.empty() || only == name; };
  if (want("throughput")) throughput(folder / "data", syncs);
  if (want("latency")) latency(folder / "data");
  if (want("fan")) fan(folder / "data");
  if (want("expressions")) expressions(folder / "data");
  if (want("sleepers")) sleepers(folder / "data");
  if (want("processes")) processes(folder / "files");
  if (want("million")) million(folder / "data");
  fs::remove_all(folder);
  return 0;
}

}  // namespace fp::bench

int main(int argc, char** argv) {
  return fp::bench::run(argc, argv);
}

#include "launcher/launcher.hpp"
#include "tasks/builtin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace {

using namespace fp;
using Steady = std::chrono::steady_clock;
using Ms = std::chrono::duration<double, std::milli>;

ports::AttemptRequest make_request(const char* code) {
  ports::AttemptRequest request;
  request.config = make_value(JsonObject{{"code", code}, {"input", JsonObject{{"n", 1}}}});
  return request;
}

void run_once(ports::TaskHandler& handler, const char* code) {
  std::promise<bool> done;
  handler.start(make_request(code), std::make_shared<ports::AttemptControl>(),
                [&done](ports::TaskHandler::Output output) { done.set_value(output.has_value()); });
  if (!done.get_future().get()) fmt::print("  a run failed\n");
}

/// Median and 99th percentile of single runs, one after another.
void measure_latency(const char* name, ports::TaskHandler& handler, const char* code, int runs,
                     std::chrono::milliseconds pause = {}) {
  std::vector<double> times;
  run_once(handler, code);
  for (int i = 0; i < runs; ++i) {
    std::this_thread::sleep_for(pause);
    const auto began = Steady::now();
    run_once(handler, code);
    times.push_back(Ms(Steady::now() - began).count());
  }
  std::sort(times.begin(), times.end());
  fmt::print("{:<44} p50 {:7.3f} ms   p99 {:7.3f} ms\n", name, times[times.size() / 2],
             times[times.size() * 99 / 100]);
}

void measure_rate(const char* name, ports::TaskHandler& handler, const char* code, int runs, int at_once) {
  std::atomic<int> left{runs};
  std::atomic<int> open{0};
  std::promise<void> all;
  std::function<void()> next = [&] {
    if (left.fetch_sub(1) <= 0) {
      if (--open == 0) all.set_value();
      return;
    }
    handler.start(make_request(code), std::make_shared<ports::AttemptControl>(),
                  [&](ports::TaskHandler::Output) { next(); });
  };
  const auto began = Steady::now();
  open = at_once;
  for (int i = 0; i < at_once; ++i) next();
  all.get_future().wait();
  fmt::print("{:<44} {:9.0f} /s\n", name, runs / (Ms(Steady::now() - began).count() / 1000));
}

/// A process from nothing to its end, Python included.
double measure_process(launcher::Level level) {
  constexpr int kRuns = 40;
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    const auto began = Steady::now();
    launcher::Command command;
    command.program.argv = {"/usr/bin/python3", "-I", "-B", "-c", "pass"};
    auto child = launcher::Launcher().launch({.level = level, .allow_weaker = true}, command);
    if (!child) return -1;
    child->wait();
    times.push_back(Ms(Steady::now() - began).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

int main() {
  const SystemClock clock;
  {
    const auto javascript = tasks::make_javascript_handler({.slots = 2}, clock);
    measure_latency("javascript, one run at a time", *javascript, "return input.n + 1", 2000);
    measure_rate("javascript, 16 runs asked for at once", *javascript, "return input.n + 1", 20'000, 16);
  }
  const double off = measure_process(launcher::Level::off);
  for (const auto level : {launcher::Level::off, launcher::Level::basic, launcher::Level::strict}) {
    fmt::print("{:<44} {:8.2f} ms ({:+.2f} against off)\n",
               fmt::format("python process, {}, from nothing to its end", launcher::to_text(level)),
               measure_process(level), measure_process(level) - off);
  }
  for (const auto level : {launcher::Level::off, launcher::Level::strict}) {
    const auto python = tasks::make_python_handler({.level = level, .allow_weaker = true}, clock);
    const auto name = fmt::format("python, {}, one run at a time", launcher::to_text(level));
    measure_latency(name.c_str(), *python, "return input['n'] + 1", 100);
    const auto calm = fmt::format("python, {}, a warm process is waiting", launcher::to_text(level));
    measure_latency(calm.c_str(), *python, "return input['n'] + 1", 40, std::chrono::milliseconds(80));
    const auto rate = fmt::format("python, {}, 8 runs asked for at once", launcher::to_text(level));
    measure_rate(rate.c_str(), *python, "return input['n'] + 1", 200, 8);
  }
}

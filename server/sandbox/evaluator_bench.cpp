#include "sandbox/evaluator_fixture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <semaphore>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fp::sandbox {
namespace {

using Clock = std::chrono::steady_clock;

double micros_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

double median(std::vector<double> samples) {
  std::ranges::nth_element(samples, samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2));
  return samples[samples.size() / 2];
}

/// What any answer from another process costs at least: one byte there and back over a socket pair.
double bare_round_trip() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 0;
  const pid_t child = fork();
  char byte = 0;
  if (child == 0) {
    close(ends[0]);
    while (read(ends[1], &byte, 1) == 1 && write(ends[1], &byte, 1) == 1) {
    }
    _exit(0);
  }
  close(ends[1]);
  std::vector<double> samples;
  for (int i = 0; i < 20'000; ++i) {
    const auto start = Clock::now();
    if (write(ends[0], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) break;
    samples.push_back(micros_since(start));
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return median(std::move(samples));
}

const auto kScope = make_scope({{"input", R"({"score":90,"name":"Ada"})"},
                                {"steps.crm.output", R"({"status_code":200,"data":{"vip":true,"id":7}})"}});
constexpr auto kExpression = "input.score > 80 && steps.crm.output.data.vip";

double first_answer() {
  std::vector<double> samples;
  for (int i = 0; i < 15; ++i) {
    const auto start = Clock::now();
    SandboxedEvaluator evaluator;
    evaluate_one(evaluator, kExpression, kScope);
    samples.push_back(micros_since(start));
  }
  return median(std::move(samples));
}

double lone_round_trip(SandboxedEvaluator& evaluator) {
  std::vector<double> samples;
  for (int i = 0; i < 20'000; ++i) {
    const auto request = make_request({kExpression}, kScope);
    const auto start = Clock::now();
    evaluate_later(evaluator, request).get();
    samples.push_back(micros_since(start));
  }
  return median(std::move(samples));
}

/// Evaluations a second with `kInFlight` requests waiting at any time.
double pipelined_rate(SandboxedEvaluator& evaluator, const std::string& expression, int count) {
  constexpr int kInFlight = 256;
  std::counting_semaphore<kInFlight> room(kInFlight);
  std::atomic<int> failures{0};
  const auto start = Clock::now();
  for (int i = 0; i < count; ++i) {
    room.acquire();
    evaluator.evaluate(make_request({expression}, kScope), [&](ports::EvaluationAnswer answer) {
      if (!answer.results.front()) ++failures;
      room.release();
    });
  }
  for (int i = 0; i < kInFlight; ++i) room.acquire();
  const double rate = count / (micros_since(start) / 1e6);
  if (failures > 0) fmt::print("  {} of {} failed\n", failures.load(), count);
  return rate;
}

double item_rate(SandboxedEvaluator& evaluator) {
  JsonArray items;
  for (int i = 0; i < 1000; ++i)
    items.push_back(JsonObject{{"sku", "A-" + std::to_string(i)}, {"quantity", i}});
  auto request = make_request({"item.quantity > 500"}, kScope);
  request.items = make_value(items);
  const auto start = Clock::now();
  for (int i = 0; i < 50; ++i) evaluate_later(evaluator, request).get();
  return 50 * 1000 / (micros_since(start) / 1e6);
}

void print_figures() {
  const double bare = bare_round_trip();
  fmt::print("bare socket pair round trip (p50): {:.1f} us\n", bare);
  fmt::print("process start to first answer (p50): {:.1f} ms\n", first_answer() / 1000);
  SandboxedEvaluator evaluator;
  evaluate_one(evaluator, kExpression, kScope);
  fmt::print("isolation: {}\n", evaluator.status().layers);
  const double lone = lone_round_trip(evaluator);
  fmt::print("one request at a time (p50): {:.1f} us = {:.1f} bare round trips\n", lone, lone / bare);
  const double rate = pipelined_rate(evaluator, kExpression, 200'000);
  fmt::print("pipelined: {:.0f} evaluations/s, {:.1f} us each = {:.2f} bare round trips\n", rate, 1e6 / rate,
             1e6 / rate / bare);
  fmt::print(
      "pipelined, making garbage: {:.0f} evaluations/s\n",
      pipelined_rate(evaluator, "Array.from({length: 200}, (_, i) => ({i, name: input.name + i})).length",
                     20'000));
  fmt::print("1,000 items a request: {:.0f} evaluations/s\n", item_rate(evaluator));
}

}  // namespace
}  // namespace fp::sandbox

int main() {
  fp::sandbox::print_figures();
}

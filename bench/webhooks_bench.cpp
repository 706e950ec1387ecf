#include "webhooks_bench.hpp"

#include "bench_session.hpp"

#include <fmt/format.h>

namespace fp::bench {

namespace {

Json hooked(const std::string& path, const std::string& respond, JsonArray steps, const std::string& output) {
  return JsonObject{{"name", path},
                    {"triggers", JsonArray{JsonObject{
                                     {"id", "hook"},
                                     {"trigger_type", "webhook"},
                                     {"trigger_config", JsonObject{{"path", path}, {"respond", respond}}}}}},
                    {"steps", std::move(steps)},
                    {"output", output}};
}

Measured post(const Bench& bench, const std::string& path, std::size_t connections, std::size_t requests,
              double per_second, unsigned status) {
  const auto text = post_request("/hooks/" + path, R"({"order": 4711, "customer": "ada@example.org"})");
  return run_load(bench.port(), {connections, requests, per_second, [&](std::size_t) { return text; },
                                 [status](unsigned got, std::string_view) { return got == status; }});
}

}  // namespace

void webhooks(const std::filesystem::path& folder, double syncs) {
  Bench bench(folder / "data");
  bench.make(hooked("accepted", "accepted", JsonArray{step("a", "noop", {})}, "{{ input.body }}"));
  bench.make(hooked("result", "result", JsonArray{step("a", "noop", {})}, "{{ input.body }}"));
  bench.make(hooked("echo", "respond",
                    JsonArray{step("a", "respond", {}, JsonObject{{"body", "{{ input.body }}"}})},
                    "{{ 1 }}"));
  post(bench, "result", 8, 1000, 0, 200);
  const auto result = post(bench, "result", 128, 5000, 500, 200);
  row("(e) webhook to result, 500/s open loop, p99", fmt::format("{:.2f} ms", result.p99()), "15 ms", "6 ms",
      fmt::format("p50 {:.2f}, p99.9 {:.2f} ms; a sync {:.2f} ms{}", result.p50(), result.quantile(0.999),
                  1000 / syncs, faults(result)));
  const auto accepted = post(bench, "accepted", 256, 15'000, 3000, 202);
  row("    accepted, durable, 3,000/s open loop", fmt::format("{:.0f}/s", accepted.rate()), "3,000/s", "",
      fmt::format("p50 {:.2f}, p99 {:.2f} ms{}", accepted.p50(), accepted.p99(), faults(accepted)));
  bench.drain();
  const auto most = post(bench, "accepted", 64, 30'000, 0, 202);
  row("    accepted, as many as it takes, c=64", fmt::format("{:.0f}/s", most.rate()), "", "",
      fmt::format("p99 {:.2f} ms; {:.1f} a sync{}", most.p99(), most.rate() / syncs, faults(most)));
  bench.drain();
  post(bench, "echo", 64, 2000, 0, 200);
  const auto echo = post(bench, "echo", 64, 30'000, 0, 200);
  row("    echo through a respond step, durable, c=64", fmt::format("{:.0f}/s", echo.rate()), "8,000/s", "",
      fmt::format("p50 {:.2f}, p99 {:.2f} ms{}", echo.p50(), echo.p99(), faults(echo)));
}

}  // namespace fp::bench

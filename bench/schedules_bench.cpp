#include "schedules_bench.hpp"

#include "base/time.hpp"
#include "bench_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <thread>

namespace fp::bench {

namespace {

constexpr std::size_t kSchedules = 100'000;
constexpr std::size_t kBurst = 10'000;
constexpr std::size_t kEach = 100;  // of one workflow

/// A workflow that ends as it starts, with `kEach` schedules.
Json scheduled(const std::string& name, const std::function<JsonObject(std::size_t)>& config) {
  JsonArray triggers;
  for (std::size_t i = 0; i < kEach; ++i) {
    triggers.push_back(JsonObject{
        {"id", fmt::format("t{}", i)}, {"trigger_type", "schedule"}, {"trigger_config", config(i)}});
  }
  return JsonObject{{"name", name},
                    {"triggers", std::move(triggers)},
                    {"steps", JsonArray{step("a", "set", {}, JsonObject{{"values", JsonObject{}}})}}};
}

/// How long after `tick`, or after the whole second before it, each execution had ended, in ms.
std::vector<double> list_lags(Bench& bench, const std::string& label_query, std::optional<TimePoint> tick) {
  std::vector<double> out;
  std::string cursor;
  do {
    const auto page = call_api(bench.port(), "GET", "/api/executions/?limit=200" + label_query + cursor);
    for (const auto& execution : page.at("results").as_array()) {
      const auto at = parse_rfc3339(json_string(execution, "completed_at"));
      if (!at) continue;
      const TimePoint due = tick ? *tick : std::chrono::floor<std::chrono::seconds>(*at);
      out.push_back(static_cast<double>((*at - due).count()));
    }
    const auto next = json_string(page, "next");
    cursor = next.empty() ? "" : "&cursor=" + next;
  } while (!cursor.empty());
  std::sort(out.begin(), out.end());
  return out;
}

double quantile(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? 0
                        : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

/// For the time that the clock takes: ticks come no sooner.
void wait_until(TimePoint at) {
  while (SystemClock().now() < at) std::this_thread::sleep_for(Milliseconds(50));
}

}  // namespace

void schedules(const std::filesystem::path& folder) {
  Bench bench(folder / "data");
  // Each once an hour, at a second of its own, so that about 28 are due in each.
  for (std::size_t first = 0; first < kSchedules; first += kEach) {
    bench.make(scheduled(fmt::format("spread {}", first / kEach), [&](std::size_t i) {
      const auto second = (first + i) % 3600;
      return JsonObject{{"cron", fmt::format("{} {} * * * *", second % 60, second / 60)},
                        {"overlap", "allow"}};
    }));
  }
  const auto since = SystemClock().now();
  wait_until(since + std::chrono::seconds(30));
  const auto spread = list_lags(bench, "", std::nullopt);
  row(fmt::format("tick to end, {} schedules stored, 28 a second, p99", kSchedules),
      fmt::format("{:.0f} ms", quantile(spread, 0.99)), "250 ms", "100 ms",
      fmt::format("p50 {:.0f}, most {:.0f} ms, {} ticks; {:.0f} MB", quantile(spread, 0.5),
                  quantile(spread, 1), spread.size(), megabytes(bench.server().memory())));
  const TimePoint due =
      std::chrono::ceil<std::chrono::seconds>(SystemClock().now()) + std::chrono::seconds(20);
  for (std::size_t first = 0; first < kBurst; first += kEach)
    bench.make(scheduled(fmt::format("burst {}", first / kEach),
                         [&](std::size_t) { return JsonObject{{"at", to_rfc3339(due)}}; }));
  const bool was_in_time = SystemClock().now() < due;
  wait_until(due + std::chrono::seconds(5));
  const auto burst = list_lags(bench, "&search=burst", due);
  row(fmt::format("{} schedules due in the same second, until all have ended", kBurst),
      fmt::format("{:.0f} ms", quantile(burst, 1)), "2 s", "1 s",
      fmt::format("{} executions{}", burst.size(), was_in_time ? "" : "; saved too late to be due"));
}

}  // namespace fp::bench

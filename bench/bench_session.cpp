#include "bench_session.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace fp::bench {

namespace fs = std::filesystem;

namespace {

bool has_ended(unsigned status, std::string_view body) {
  return status == 200 && body.find(R"("status":"completed")") != body.npos;
}
bool is_fine(unsigned status, std::string_view) {
  return status == 200;
}

}  // namespace

bool is_accepted(unsigned status, std::string_view) {
  return status == 202;
}

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

Json step(const std::string& id, const std::string& type, std::vector<std::string> after, Json config) {
  JsonArray depends;
  for (auto& name : after) depends.push_back(Json(name));
  JsonObject out{{"id", id}, {"step_type", type}, {"depends_on", std::move(depends)}};
  if (!config.is_null()) out["config"] = std::move(config);
  return out;
}

Json document(const std::string& name, JsonArray steps) {
  return JsonObject{{"name", name}, {"steps", std::move(steps)}};
}

Json chain(std::size_t steps, const std::string& type) {
  JsonArray list;
  for (std::size_t i = 0; i < steps; ++i)
    list.push_back(step(fmt::format("s{}", i), type,
                        i == 0 ? std::vector<std::string>{} : std::vector{fmt::format("s{}", i - 1)}));
  return document(fmt::format("chain{}", steps), std::move(list));
}

Bench::Bench(const fs::path& folder, bool keep, const std::vector<std::string>& more) : folder_(folder) {
  if (!keep) fs::remove_all(folder_);
  server_.emplace(fs::canonical("/proc/self/exe").parent_path() / "flowpilot", folder_, more);
}

std::string Bench::make(const Json& workflow) {
  const auto id = json_string(call_api(port(), "POST", "/api/workflows/", workflow), "id");
  call_api(port(), "POST", fmt::format("/api/workflows/{}/publish/", id), JsonObject());
  return fmt::format("/api/workflows/{}/run/", id);
}

Measured Bench::run(const std::string& path, std::size_t connections, std::size_t requests, double per_second,
                    const std::string& body) {
  const auto text = post_request(path, body);
  return run_load(port(), {connections, requests, per_second, [&](std::size_t) { return text; }, has_ended});
}
Measured Bench::submit(const std::string& path, std::size_t connections, std::size_t requests,
                       double per_second) {
  const auto text = post_request(path, "{}");
  return run_load(port(),
                  {connections, requests, per_second, [&](std::size_t) { return text; }, is_accepted});
}
Measured Bench::read(std::vector<std::string> targets, std::size_t connections, std::size_t requests,
                     double per_second) {
  for (auto& target : targets) target = get_request(target);
  return run_load(port(), {connections, requests, per_second,
                           [&](std::size_t i) { return targets[i % targets.size()]; }, is_fine});
}

std::uint64_t Bench::count(const std::string& query) {
  const auto page = call_api(port(), "GET", "/api/executions/?limit=1&" + query);
  return static_cast<std::uint64_t>(json_int(page, "count").value_or(0));
}
void Bench::drain() {
  while (count("status=pending,running,waiting") > 0) {
  }
}

}  // namespace fp::bench

#include "simulation.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace {

using fp::simulation::Outcome;
using fp::simulation::simulate;
using fp::simulation::Tally;
using fp::simulation::Violation;

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 2000;
};

/// A run of this many seeds meets every one of these, or the simulation has lost its bite.
constexpr const char* kExercised[] = {"event started",
                                      "event items expanded",
                                      "event attempt scheduled",
                                      "event attempt failed",
                                      "event attempt lost",
                                      "event task waiting",
                                      "event task completed",
                                      "event task failed",
                                      "event task skipped",
                                      "event task cancelled",
                                      "event items ended",
                                      "event signal buffered",
                                      "event signal taken",
                                      "event failing",
                                      "event cancel requested",
                                      "event paused",
                                      "event resumed",
                                      "event process died",
                                      "event compensation started",
                                      "event reopened",
                                      "event late result",
                                      "event ended",
                                      "command dispatch",
                                      "command cancel attempt",
                                      "command evaluate",
                                      "command start child",
                                      "command cancel child",
                                      "command notify parent",
                                      "command start failure workflow",
                                      "fault commit failed",
                                      "fault acknowledgement lost",
                                      "fault storage failed in load",
                                      "fault storage failed in list_due",
                                      "fault storage failed in list_inbox",
                                      "fault storage failed in put_blob",
                                      "fault kill",
                                      "fault orderly restart",
                                      "fault zombie",
                                      "fault clock jump",
                                      "fault slot refused",
                                      "fault worker vanishes",
                                      "fault attempt hangs",
                                      "fault result twice",
                                      "fault result late",
                                      "fault expression crashed",
                                      "fail-stop storage.fenced",
                                      "acknowledged start",
                                      "acknowledged signal",
                                      "acknowledged approval",
                                      "acknowledged cancel",
                                      "acknowledged pause",
                                      "acknowledged retry",
                                      "refused execution.duplicate",
                                      "refused execution.ended",
                                      "quarantine",
                                      "watched end"};
constexpr std::uint64_t kEnoughSeeds = 500;

bool read_number(const char* text, std::uint64_t& into) {
  const auto end = text + std::strlen(text);
  return std::from_chars(text, end, into).ptr == end;
}

bool read_options(int count, char** arguments, Options& out) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view flag = arguments[i];
    const bool known = flag == "--seeds"   ? read_number(arguments[i + 1], out.seeds)
                       : flag == "--first" ? read_number(arguments[i + 1], out.first)
                       : flag == "--seed"  ? (out.seeds = 1, read_number(arguments[i + 1], out.first))
                                           : false;
    if (!known) return false;
  }
  return count % 2 == 1;
}

void print(const Tally& tally) {
  for (const auto& [what, times] : tally.all()) fmt::print("  {:>10}  {}\n", times, what);
}

bool check_exercised(const Tally& tally) {
  bool all = true;
  for (const auto* what : kExercised) {
    if (tally.of(what) > 0) continue;
    fmt::print("FAILED: no seed met \"{}\"\n", what);
    all = false;
  }
  return all;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  if (!read_options(count, arguments, options)) {
    fmt::print(stderr, "usage: simulation [--seeds N] [--first K] [--seed ONE]\n");
    return 2;
  }
  Tally total;
  double simulated = 0;
  std::size_t executions = 0;
  std::size_t events = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (auto seed = options.first; seed < options.first + options.seeds; ++seed) {
    try {
      const auto outcome = simulate(seed);
      for (const auto& [what, times] : outcome.tally.all()) total.add(what, times);
      simulated += outcome.simulated_seconds;
      executions += outcome.executions;
      events += outcome.events;
    } catch (const std::exception& broken) {
      fmt::print("FAILED: {}\nreplay: build/test/simulation --seed {}\n", broken.what(), seed);
      return 1;
    }
  }
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  print(total);
  fmt::print("{} seeds, {} executions, {} events, {:.1f} simulated days in {:.1f} s: {:.0f} seeds/s\n",
             options.seeds, executions, events, simulated / 86'400, seconds, double(options.seeds) / seconds);
  if (options.seeds >= kEnoughSeeds && !check_exercised(total)) return 1;
  fmt::print("PASSED\n");
  return 0;
}

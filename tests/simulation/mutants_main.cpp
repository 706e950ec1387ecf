// Plants one bug after another and lets the simulation look for it. Fails when one survives, or when the code
// without any is blamed.
#include "base/mutant.hpp"
#include "simulation.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr const char* kMutants[] = {"reply before commit",
                                    "dispatch before commit",
                                    "child not born with its parent",
                                    "key of the attempt",
                                    "inbox forgotten on recovery",
                                    "late results applied",
                                    "running attempts forgotten on recovery",
                                    "cancel forgets what runs",
                                    "max_parallel ignored",
                                    "lost item still counted",
                                    "progress does not clear deaths",
                                    "snapshot without signals"};
constexpr std::uint64_t kSeeds = 2000;
constexpr unsigned kMostSeconds = 60;

/// In a process of its own, because a planted bug may end it. True when the simulation found something.
bool hunt(const char* bug) {
  std::fflush(stdout);
  const auto child = fork();
  if (child == 0) {
    fp::planted_bug = bug;
    alarm(kMostSeconds);
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      try {
        fp::simulation::simulate(seed);
      } catch (const std::exception& found) {
        fmt::print("{:<42} seed {:>4}: {:.110}\n", bug, seed, found.what());
        std::fflush(stdout);
        _exit(1);
      }
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) fmt::print("{:<42} ended the process (signal {})\n", bug, WTERMSIG(status));
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace

int main() {
  int failed = 0;
  if (hunt("")) {
    fmt::print("FAILED: without a planted bug nothing may be found\n");
    ++failed;
  }
  int found = 0;
  for (const auto* bug : kMutants) {
    if (hunt(bug)) {
      ++found;
      continue;
    }
    fmt::print("FAILED: \"{}\" survived {} seeds\n", bug, kSeeds);
    ++failed;
  }
  fmt::print("{} planted bugs found of {}\n", found, std::size(kMutants));
  return failed == 0 ? 0 : 1;
}

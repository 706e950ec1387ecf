#include "base/mutant.hpp"
#include "simulation.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/// Proves that the simulation bites: every planted bug must be found, and the same program without one must
/// pass.
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
                                    "snapshot without signals",
                                    "timers forgotten on recovery",
                                    "goes on after a failed commit",
                                    "old owner may write",
                                    "an end is not final"};
constexpr std::uint64_t kMostSeeds = 20'000;
constexpr std::uint64_t kCleanSeeds = 1'000;
constexpr unsigned kMostSeconds = 60;

const char* g_mutant = "";

/// What the process that carries a mutant tells about itself, even when it aborts.
struct Progress {
  std::uint64_t seed = 0;
  char reason[200] = "";
};

int run_seeds(const char* mutant, std::uint64_t seeds, Progress& progress) {
  g_mutant = mutant;
  if (std::freopen("/dev/null", "w", stderr) == nullptr)
    return 2;  // an assertion speaks there, and is expected
  alarm(kMostSeconds);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    progress.seed = seed;
    try {
      fp::simulation::simulate(seed);
    } catch (const std::exception& broken) {
      std::strncpy(progress.reason, broken.what(), sizeof(progress.reason) - 1);
      return 1;
    }
  }
  return 0;
}

/// In a process of its own: a mutant may abort or hang.
bool is_found(const char* mutant, std::uint64_t seeds, Progress& progress) {
  const auto child = fork();
  if (child == 0) _exit(run_seeds(mutant, seeds, progress));
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    std::snprintf(progress.reason, sizeof(progress.reason), "%s", strsignal(WTERMSIG(status)));
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace

bool fp::is_mutant(const char* name) {
  return std::strcmp(name, g_mutant) == 0;
}

int main() {
  auto* progress = static_cast<Progress*>(
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  bool passed = true;
  for (const auto* mutant : kMutants) {
    *progress = {};
    const bool found = is_found(mutant, kMostSeeds, *progress);
    passed &= found;
    const std::string reason = progress->reason;
    fmt::print("{:<40} {} seed {:>5}: {}\n", mutant, found ? "found by" : "NOT FOUND up to", progress->seed,
               reason.substr(0, reason.find('\n')));
    std::fflush(stdout);
  }
  *progress = {};
  if (is_found("", kCleanSeeds, *progress)) {
    fmt::print("FAILED without any mutant at seed {}: {}\n", progress->seed, progress->reason);
    passed = false;
  }
  fmt::print("{} mutants: {}\n", std::size(kMutants), passed ? "PASSED" : "FAILED");
  return passed ? 0 : 1;
}

#include "sandbox/child/memory_limit.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <sys/resource.h>
#include <unistd.h>

namespace fp::sandbox {

namespace {

// Frames, garbage that is not collected yet, and the allocator's slack.
constexpr std::uint64_t kSlackBytes = 64u << 20;

std::uint64_t g_idle_address_space = 0;
std::uint64_t g_idle_data = 0;

struct Limit {
  __rlimit_resource resource;
  std::uint64_t bytes;
};

/// Both kernel limits: the one on what is really written to, and the one on addresses.
std::array<Limit, 2> limits_for(std::uint64_t bytes) {
  return {{{RLIMIT_DATA, g_idle_data + bytes + kSlackBytes},
           {RLIMIT_AS, g_idle_address_space + bytes + kSlackBytes}}};
}

}  // namespace

bool measure_idle_memory() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (!file) return false;
  unsigned long total = 0;
  unsigned long data = 0;
  const int fields = std::fscanf(file, "%lu %*u %*u %*u %*u %lu", &total, &data);
  std::fclose(file);
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  g_idle_address_space = total * page;
  g_idle_data = data * page;
  return fields == 2;
}

bool cap_memory() {
  return std::ranges::all_of(limits_for(kMostMemoryBytes), [](const Limit& limit) {
    const rlimit both{limit.bytes, limit.bytes};
    return setrlimit(limit.resource, &both) == 0;
  });
}

bool limit_memory(std::uint64_t bytes) {
  return std::ranges::all_of(limits_for(std::min<std::uint64_t>(bytes, kMostMemoryBytes)),
                             [](const Limit& limit) {
                               rlimit limits{};
                               getrlimit(limit.resource, &limits);
                               limits.rlim_cur = std::min<rlim_t>(limit.bytes, limits.rlim_max);
                               return setrlimit(limit.resource, &limits) == 0;
                             });
}

}  // namespace fp::sandbox

#include "sandbox/child/memory_limit.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

namespace fp::sandbox {

namespace {

// Frames, garbage that is not collected yet, and the allocator's slack.
constexpr std::uint64_t kSlackBytes = 64u << 20;

std::uint64_t g_idle_address_space = 0;
std::uint64_t g_idle_data = 0;

bool limit(__rlimit_resource resource, std::uint64_t bytes) {
  rlimit limits{};
  getrlimit(resource, &limits);
  limits.rlim_cur = bytes < limits.rlim_max ? bytes : limits.rlim_max;
  return setrlimit(resource, &limits) == 0;
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

bool limit_memory(std::uint64_t bytes) {
  return limit(RLIMIT_DATA, g_idle_data + bytes + kSlackBytes) && limit(RLIMIT_AS, g_idle_address_space + bytes + kSlackBytes);
}

}  // namespace fp::sandbox

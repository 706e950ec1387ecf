#include "launcher/jail/rights.hpp"

#include <algorithm>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fp::launcher {

namespace {

bool limit(__rlimit_resource resource, rlim_t value) {
  rlimit limits{};
  if (getrlimit(resource, &limits) != 0) return false;
  limits.rlim_max = std::min<rlim_t>(limits.rlim_max, value);
  limits.rlim_cur = limits.rlim_max;
  return setrlimit(resource, &limits) == 0;
}

// Landlock, in words of our own: Debian 12's headers know its second version only.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr std::uint64_t kExecute = 1u << 0, kWriteFile = 1u << 1, kReadFile = 1u << 2, kReadFolder = 1u << 3;
constexpr std::uint64_t kIoctlDevice = 1u << 15;
struct RulesetAttributes {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};
struct [[gnu::packed]] PathRule {
  std::uint64_t allowed = 0;
  std::int32_t folder = -1;
};

std::uint64_t file_rights(long abi) {
  constexpr int kRights[] = {0, 13, 14, 15, 15, 16};  // by ABI; 5 and later have the sixteenth
  return (1ull << kRights[std::min<long>(abi, 5)]) - 1;
}

void allow(int ruleset, const std::string& path, std::uint64_t rights) {
  const int fd = open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return;  // not there, so nothing to allow
  struct stat status{};
  constexpr std::uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | (1u << 14) | kIoctlDevice;
  if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode)) rights &= kOfFiles;
  const PathRule rule{rights, fd};
  constexpr int kPathBeneath = 1;
  syscall(kAddRule, ruleset, kPathBeneath, &rule, 0);
  close(fd);
}

/// Ends at the first that does not exist, or that may not be dropped: no_new_privs holds those.
void drop_bounding_set() {
  for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; ++capability) {
  }
}

}  // namespace

bool become_user(uid_t uid) {
  drop_bounding_set();  // the right to do so goes with the user
  return setgroups(0, nullptr) == 0 && setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0;
}

bool drop_privileges() {
  drop_bounding_set();
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2]{};
  return syscall(SYS_capset, &header, none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool set_limits(const Policy& policy, bool has_cgroup, bool owns_user) {
  bool holds = limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, policy.file_bytes) &&
               limit(RLIMIT_NOFILE, policy.open_files) && limit(RLIMIT_MEMLOCK, 0) &&
               limit(RLIMIT_MSGQUEUE, 0) && limit(RLIMIT_RTPRIO, 0);
  if (policy.cpu_seconds > 0) holds = holds && limit(RLIMIT_CPU, policy.cpu_seconds);
  // With a control group its limit comes first, because that one is counted and reported.
  const rlim_t spare = has_cgroup ? 16 : 1;
  if (owns_user) holds = holds && limit(RLIMIT_NPROC, policy.processes + spare);
  if (!has_cgroup && policy.memory_bytes > 0) holds = holds && limit(RLIMIT_AS, policy.memory_bytes);
  return holds;
}

int restrict_files(const std::vector<std::string>& readable, const std::vector<std::string>& writable,
                   Network network) {
  constexpr unsigned kVersion = 1;
  const long abi = syscall(kCreateRuleset, nullptr, 0, kVersion);
  if (abi <= 0) return 0;
  RulesetAttributes attributes;
  attributes.files = file_rights(abi);
  if (abi >= 4 && network == Network::none) attributes.network = 3;  // TCP bind and connect
  if (abi >= 6) attributes.scoped = 3;  // abstract sockets and signals stay inside
  const auto size = abi >= 6   ? sizeof attributes
                    : abi >= 4 ? 2 * sizeof(std::uint64_t)
                               : sizeof(std::uint64_t);
  const long ruleset = syscall(kCreateRuleset, &attributes, size, 0);
  if (ruleset < 0) return 0;
  for (const auto& path : readable)
    allow(static_cast<int>(ruleset), path, kExecute | kReadFile | kReadFolder);
  for (const auto& path : writable)
    allow(static_cast<int>(ruleset), path, attributes.files & ~kExecute & ~kIoctlDevice);
  allow(static_cast<int>(ruleset), "/dev", kReadFile | kReadFolder | kWriteFile);
  allow(static_cast<int>(ruleset), "/proc", kReadFile | kReadFolder | kWriteFile);
  const bool holds = syscall(kRestrictSelf, ruleset, 0) == 0;
  close(static_cast<int>(ruleset));
  return holds ? static_cast<int>(abi) : 0;
}

}  // namespace fp::launcher

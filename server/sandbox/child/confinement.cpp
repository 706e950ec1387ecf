#include "sandbox/child/confinement.hpp"

#include "sandbox/child/memory_limit.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fp::sandbox {

namespace {

bool limit(__rlimit_resource resource, rlim_t value) {
  const rlimit limits{value, value};
  return setrlimit(resource, &limits) == 0;
}

// Debian 12's headers may be older than the kernel, so the few constants of Landlock's first version stand
// here.
bool deny_all_files() {
  constexpr long kCreateRuleset = 444;
  constexpr long kRestrictSelf = 446;
  struct {
    std::uint64_t handled_access_fs = (1u << 13) - 1;
  } rules;
  const long ruleset = syscall(kCreateRuleset, &rules, sizeof rules, 0);
  if (ruleset < 0) return false;
  const bool holds = syscall(kRestrictSelf, ruleset, 0) == 0;
  close(static_cast<int>(ruleset));
  return holds;
}

struct Rules {
  scmp_filter_ctx context;
  bool is_good = true;

  template <class... Conditions>
  void allow(int call, Conditions... conditions) {
    is_good =
        is_good && seccomp_rule_add(context, SCMP_ACT_ALLOW, call, sizeof...(conditions), conditions...) == 0;
  }
  void refuse(int call) {
    is_good = is_good && seccomp_rule_add(context, SCMP_ACT_ERRNO(EACCES), call, 0) == 0;
  }
};

void allow_computing(Rules& rules) {
  for (const int call :
       {SCMP_SYS(futex), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom), SCMP_SYS(rt_sigreturn),
        SCMP_SYS(rt_sigprocmask), SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall), SCMP_SYS(setitimer),
        SCMP_SYS(getrusage), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(exit), SCMP_SYS(exit_group)}) {
    rules.allow(call);
  }
  const auto no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  rules.allow(SCMP_SYS(mmap), no_code, SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
  rules.allow(SCMP_SYS(mprotect), no_code);
  rules.allow(SCMP_SYS(read), SCMP_A0(SCMP_CMP_EQ, Confinement::kChannel));
  rules.allow(SCMP_SYS(write), SCMP_A0(SCMP_CMP_EQ, Confinement::kChannel));
  rules.allow(SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_EQ, 0));
}

// The C library and ICU look for time zone files and do well without: they are told no instead of being
// killed.
void refuse_files(Rules& rules) {
  for (const int call :
       {SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(newfstatat), SCMP_SYS(access), SCMP_SYS(readlink)}) {
    rules.refuse(call);
  }
}

bool allow_only_computing() {
  Rules rules{seccomp_init(SCMP_ACT_KILL_PROCESS)};
  if (!rules.context) return false;
  rules.is_good = seccomp_attr_set(rules.context, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
  allow_computing(rules);
  refuse_files(rules);
  const bool holds = rules.is_good && seccomp_load(rules.context) == 0;
  seccomp_release(rules.context);
  return holds;
}

}  // namespace

void Confinement::hold(const char* layer) {
  if (!layers_.empty()) layers_.push_back(',');
  layers_.append(layer);
}

bool Confinement::begin() {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return false;
  }
  hold("no_new_privs");
  for (int fd = 0; fd < kChannel; ++fd) close(fd);
  close_range(kChannel + 1, ~0u, 0);
  // No PID namespace: it would only hold for children, and there are none.
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0) hold("namespaces");
  return true;
}

bool Confinement::finish() {
  if (!measure_idle_memory() || !cap_memory() || !limit_memory(kDefaultMemoryBytes)) return false;
  if (deny_all_files()) hold("landlock");
  if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NOFILE, kChannel + 1) || !limit(RLIMIT_FSIZE, 0)) return false;
  hold("rlimits");
  if (!allow_only_computing()) return false;
  hold("seccomp");
  return true;
}

}  // namespace fp::sandbox

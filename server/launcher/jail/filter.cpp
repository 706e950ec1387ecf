#include "launcher/jail/rights.hpp"

#include <cerrno>
#include <cstddef>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <vector>

namespace fp::launcher {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the call filter knows x86-64 and arm64"
#endif

constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kAbsent = SECCOMP_RET_ERRNO | ENOSYS;
constexpr std::uint32_t kNewestKnown = 450;  // Linux 6.1

// Other processes, mounts, kernel keys and code, clocks, devices, tracing: by number, because the C library's
// headers may be older than the kernel. From 424 on the numbers are the same on every architecture.
constexpr std::uint32_t kRefused[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    438 /* pidfd_getfd */,
    440 /* process_madvise */,
    448 /* process_mrelease */,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    428 /* open_tree */,
    429 /* move_mount */,
    430 /* fsopen */,
    431 /* fsconfig */,
    432 /* fsmount */,
    433 /* fspick */,
    442 /* mount_setattr */,
    SYS_setns,
    SYS_unshare,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    425 /* io_uring_setup */,
    426 /* io_uring_enter */,
    427 /* io_uring_register */,
    SYS_userfaultfd,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    443 /* quotactl_fd */,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_personality,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_syslog,
    SYS_vhangup,
    SYS_lookup_dcookie,
    SYS_fanotify_init,
    SYS_move_pages,
    SYS_migrate_pages,
    SYS_memfd_create,
    SYS_execveat,
    447 /* memfd_secret */,
    SYS_seccomp,
    SYS_ioprio_set,
    SYS_nfsservctl,
#if defined(__x86_64__)
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
    SYS_uselib,
    SYS__sysctl,
    SYS_ustat,
    SYS_sysfs,
    SYS_create_module,
    SYS_get_kernel_syms,
    SYS_query_module,
#endif
};

constexpr std::uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                                         CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                                         0x80 /* CLONE_NEWTIME */;

/// Straight-line code of the kernel's packet filter; every test that hits returns at once.
class Code {
 public:
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  void answer(std::uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }
  void answer_if(std::uint16_t test, std::uint32_t value, std::uint32_t verdict) {
    add(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, 0, 1);
    answer(verdict);
  }
  void answer_unless_equal(std::uint32_t value, std::uint32_t verdict) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    answer(verdict);
  }
  /// The next `length` instructions are for the call `number` only.
  void for_call(std::uint32_t number, std::uint8_t length) {
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, length);
  }
  bool install() {
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
  }

 private:
  void add(std::uint16_t code, std::uint32_t value, std::uint8_t yes = 0, std::uint8_t no = 0) {
    code_.push_back({code, yes, no, value});
  }
  std::vector<sock_filter> code_;
};

constexpr std::size_t kNumber = offsetof(seccomp_data, nr);
constexpr std::size_t kFirst =
    offsetof(seccomp_data, args);  // the low half: both architectures are little-endian
constexpr std::size_t kSecond = kFirst + 8;
constexpr std::size_t kThird = kFirst + 16;

void add_sockets(Code& code, Network network) {
  if (network == Network::none) {
    code.for_call(SYS_socket, 4);
    code.load(kFirst);
    code.answer_unless_equal(AF_UNIX, kRefuse);
    code.answer(SECCOMP_RET_ALLOW);
    return;
  }
  code.for_call(SYS_socket, 13);
  code.load(kFirst);
  for (const std::uint32_t family : {AF_UNIX, AF_INET, AF_INET6})
    code.answer_if(BPF_JEQ, family, SECCOMP_RET_ALLOW);
  code.answer_unless_equal(AF_NETLINK, kRefuse);
  code.load(kThird);
  code.answer_unless_equal(NETLINK_ROUTE, kRefuse);  // what the resolver asks for the machine's addresses
  code.answer(SECCOMP_RET_ALLOW);
}

}  // namespace

bool filter_calls(Network network) {
  Code code;
  code.load(offsetof(seccomp_data, arch));
  code.answer_unless_equal(kArchitecture, SECCOMP_RET_KILL_PROCESS);
  code.load(kNumber);
  // Newer calls, and the x32 variants of old ones, whose numbers start at 0x40000000.
  code.answer_if(BPF_JGT, kNewestKnown, kAbsent);
  // Its flags are in memory, where a filter can not look: the C library falls back to clone.
  code.answer_if(BPF_JEQ, SYS_clone3, kAbsent);
  for (const auto call : kRefused) code.answer_if(BPF_JEQ, call, kRefuse);
  code.for_call(SYS_clone, 4);
  code.load(kFirst);
  code.answer_if(BPF_JSET, kNewNamespaces, kRefuse);
  code.answer(SECCOMP_RET_ALLOW);
  code.for_call(SYS_ioctl, 4);
  code.load(kSecond);
  code.answer_if(BPF_JEQ, TIOCSTI, kRefuse);
  code.answer(SECCOMP_RET_ALLOW);
  add_sockets(code, network);
  code.answer(SECCOMP_RET_ALLOW);
  return code.install();
}

}  // namespace fp::launcher

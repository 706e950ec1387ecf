#pragma once

#include "launcher/policy.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace fp::launcher {

/// The first of the users that slots run as: above every user that Debian or systemd makes by name.
inline constexpr uid_t kFirstSlotUid = 61184;
inline constexpr std::uint32_t kMostSlots = 4000;

/// Becomes `uid` for good, with no groups. Needs root.
bool become_user(uid_t uid);
/// No capability left, none to be had again, and no program gives one.
bool drop_privileges();
/// Limits per process. Without a control group also on the address space; `owns_user`: also on the processes
/// of this user, who has no others.
bool set_limits(const Policy& policy, bool has_cgroup, bool owns_user);
/// The ABI now in force, 0 when the kernel has none. `readable` may be run too, `writable` may not.
int restrict_files(const std::vector<std::string>& readable, const std::vector<std::string>& writable,
                   Network network);
/// Refuses (EPERM) the system calls that no step needs and that have let programs out of their jails; what is
/// newer than this list does not exist (ENOSYS).
bool filter_calls(Network network);

}  // namespace fp::launcher

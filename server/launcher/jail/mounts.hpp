#pragma once

#include "launcher/policy.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace fp::launcher {

/// One place of the host that is seen inside.
struct Place {
  std::string inside;  // as asked for
  std::string host;    // with symbolic links resolved, while they still could be
  bool is_writable = false;
};

/// Resolves what `policy` names; what does not exist is left out. Run by root, writable folders are given to
/// `owner`.
std::vector<Place> resolve_places(const Policy& policy, uid_t owner);

/// Gives this process, alone in a new mount namespace, a root of its own: the system's programs and libraries
/// read-only, a private tmp, a few devices, `places`, and nothing else of the host. False, with errno and the
/// step in `failed`, when that can not be. `has_proc`: it has a /proc with nobody else's processes in it.
bool build_root(const Policy& policy, const std::vector<Place>& places, uid_t uid, bool& has_proc,
                std::string& failed);

}  // namespace fp::launcher

#pragma once

#include "launcher/policy.hpp"

#include <string>
#include <sys/types.h>

namespace fp::launcher {

/// The control group of one launched tree, below this process's own: true totals of memory and processes.
/// Version 1 or 2, wherever this user may make one; nothing otherwise. The destructor removes it, which needs
/// the tree dead.
class Cgroup {
 public:
  Cgroup() = default;
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  ~Cgroup();

  /// False when memory and processes can not both be counted here.
  bool make(const Policy& policy);
  bool add(pid_t pid) const;
  bool limit_memory(std::uint64_t bytes) const;
  void kill_all() const;
  /// Fills in what was counted.
  void read(Outcome& outcome) const;
  const std::string& version() const { return version_; }

 private:
  void remove();
  std::string version_;
  std::string memory_;  // folders; the same in version 2
  std::string pids_;
};

}  // namespace fp::launcher

#include "net/port_owner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace fp::net {

namespace {

namespace fs = std::filesystem;

/// The sockets that listen on `port`, as links in /proc/PID/fd show them (proc(5), /proc/net/tcp).
std::vector<std::string> listening_sockets(std::uint16_t port) {
  std::vector<std::string> sockets;
  const auto suffix = fmt::format(":{:04X}", port);
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    for (std::string line; std::getline(file, line);) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >>
          inode;
      constexpr const char* kListening = "0A";
      if (local.ends_with(suffix) && state == kListening) sockets.push_back("socket:[" + inode + "]");
    }
  }
  return sockets;
}

bool has_open(const fs::path& process, const std::vector<std::string>& sockets) {
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    const auto target = fs::read_symlink(entry->path(), gone);
    if (!gone && std::ranges::find(sockets, target.string()) != sockets.end()) return true;
  }
  return false;
}

}  // namespace

std::optional<PortOwner> find_port_owner(std::uint16_t port) {
  const auto sockets = listening_sockets(port);
  if (sockets.empty()) return std::nullopt;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const auto pid = std::atoi(entry->path().filename().c_str());
    if (pid <= 0 || !has_open(entry->path(), sockets)) continue;
    PortOwner owner{pid, {}};
    std::ifstream name(entry->path() / "comm");
    std::getline(name, owner.name);
    return owner;
  }
  return std::nullopt;
}

}  // namespace fp::net

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace fp::net {

/// A process of this machine.
struct PortOwner {
  pid_t pid = 0;
  std::string name;
};

/// Who listens on a TCP port, as far as /proc lets us see: nothing for processes of other users.
std::optional<PortOwner> find_port_owner(std::uint16_t port);

}  // namespace fp::net

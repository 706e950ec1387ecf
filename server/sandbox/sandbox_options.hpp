#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fp::sandbox {

struct SandboxOptions {
  std::string program;     // the sandbox executable; empty: default_sandbox_program()
  unsigned processes = 1;  // how many evaluate side by side
  std::size_t max_waiting =
      1024;  // requests accepted and not yet answered; more are refused with expr.overloaded
};

struct SandboxStatus {
  std::vector<int> process_ids;  // of those that run
  std::string layers;  // of isolation that hold, joined by commas; empty before the first process said so
};

}  // namespace fp::sandbox

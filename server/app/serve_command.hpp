#pragma once

#include "app/exit_codes.hpp"
#include "app/settings.hpp"

#include <string>
#include <vector>

namespace fp::app {

struct ServeOptions {
  bool dev = false;               // demo workflows, loopback open to steps
  std::vector<std::string> vars;  // k=v: what expressions read as `vars`
};

/// `flowpilot serve`: the server, until SIGTERM or SIGINT.
ExitCode serve_command(const ServeOptions& options, const Settings& settings);

}  // namespace fp::app

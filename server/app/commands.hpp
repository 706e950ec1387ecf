#pragma once

#include "app/exit_codes.hpp"
#include "app/settings.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace fp::app {

/// Checks documents; 2 when one is not valid.
ExitCode validate_command(const std::vector<std::string>& files, bool as_json);
/// Checks a data directory; 1 when something is wrong with it.
ExitCode verify_command(const Settings& settings);
ExitCode config_show_command(const Settings& settings);
/// A completion script made from the commands and flags that `app` declares.
ExitCode completion_command(const std::string& shell, const CLI::App& app);

}  // namespace fp::app

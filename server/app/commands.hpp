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
/// Copies a data directory, also one in use, to a new directory.
ExitCode backup_command(const std::string& target, const Settings& settings);
/// Makes the data directory from a backup; it must be empty or missing.
ExitCode restore_command(const std::string& from, const Settings& settings);
/// What holds and what does not on this machine; 1 when something is bad. `quick` only asks the server
/// whether it is ready.
ExitCode doctor_command(bool quick, const Settings& settings);
/// Attacks this machine's isolation from inside; 1 when anything got out. `level` "" is that of the settings.
ExitCode sandbox_test_command(const std::string& level, bool as_json, const Settings& settings);
ExitCode config_show_command(const Settings& settings);
/// A completion script made from the commands and flags that `app` declares.
ExitCode completion_command(const std::string& shell, const CLI::App& app);

}  // namespace fp::app

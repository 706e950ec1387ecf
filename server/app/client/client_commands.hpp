#pragma once

#include "app/exit_codes.hpp"
#include "app/settings.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace fp::app {

/// What the client commands were given. One of them runs in a process, so they share it.
struct ClientOptions {
  std::string id;    // of a workflow (or its name) or an execution
  std::string name;  // of a signal or step
  std::string file;
  std::string format = "table";
  std::string search;
  std::string status;
  std::string workflow;
  std::string label;
  std::string level;
  std::string from = "failed";
  std::string version;
  std::string to;
  std::string until;
  std::string note;
  std::string reason;
  std::string payload;
  std::string input_file;
  std::vector<std::string> input_pairs;
  std::vector<std::string> labels;
  std::size_t limit = 50;
  std::size_t tail = 0;
  double wait = 0;
  bool draft = false;
  bool follow = false;
  bool publish = false;
  bool dry_run = false;
  bool at_once = false;
};

/// Registers `act` as what `command` does with the settings of a client.
using ClientRegistrar = std::function<void(CLI::App* command, std::function<ExitCode(const Settings&)> act)>;
/// `flowpilot workflow ...`, `execution ...`, `worker ...`, `schedule ...`, `webhook ...` and `event ...`:
/// the API of a running server. `options` outlives the parse.
void add_workflow_commands(CLI::App& app, ClientOptions& options, const ClientRegistrar& add);
void add_execution_commands(CLI::App& app, ClientOptions& options, const ClientRegistrar& add);
void add_worker_commands(CLI::App& app, ClientOptions& options, const ClientRegistrar& add);
void add_trigger_commands(CLI::App& app, ClientOptions& options, const ClientRegistrar& add);
void add_event_commands(CLI::App& app, ClientOptions& options, const ClientRegistrar& add);

/// A command of `group` that takes -o.
CLI::App* add_command(CLI::App* group, ClientOptions& options, const char* name, const char* help,
                      const char* example);

/// `execution watch` and `execution logs -f`: until the execution has ended (1 when it failed) or Ctrl-C.
ExitCode watch_command(const ClientOptions& options, const Settings& settings);
ExitCode logs_command(const ClientOptions& options, const Settings& settings);

}  // namespace fp::app

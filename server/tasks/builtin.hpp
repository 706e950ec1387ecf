#pragma once

#include "launcher/policy.hpp"
#include "ports/task_handler.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace fp::tasks {

/// How code steps run.
struct CodeOptions {
  launcher::Level level = launcher::Level::strict;
  bool allow_weaker = false;
  std::string python = "/usr/bin/python3";  // interpreter of python steps
  std::size_t slots = 4;                    // of each language, at the same time
};

/// What the built-in task types may do in this process. Deny first: nothing here is open unless somebody
/// asked for it.
struct TaskOptions {
  bool allow_loopback = false;               // `flowpilot run` and `--dev`
  std::vector<std::string> allow_addresses;  // HOST|CIDR[:PORT], as --allow-address takes them
  std::string proxy_url;                     // only when configured; never from the environment
  std::string smtp_url;                      // default of send_email
  std::string mail_from;
  std::filesystem::path file_root;                  // empty: the file_* types refuse
  std::shared_ptr<const class OwnPorts> own_ports;  // never reached by a step, even when loopback is
  std::filesystem::path data_dir;                   // sql_query never opens the product's own database
  CodeOptions code;
};

/// One handler for each task type that touches the world.
std::vector<std::unique_ptr<ports::TaskHandler>> make_builtin_handlers(const TaskOptions& options,
                                                                       const Clock& clock);

// One maker a file.
std::unique_ptr<ports::TaskHandler> make_noop_handler();
std::unique_ptr<ports::TaskHandler> make_log_handler(const Clock& clock);
std::unique_ptr<ports::TaskHandler> make_javascript_handler(const CodeOptions& options, const Clock& clock);
std::unique_ptr<ports::TaskHandler> make_python_handler(const CodeOptions& options, const Clock& clock);

}  // namespace fp::tasks

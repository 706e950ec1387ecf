#pragma once

#include "app/exit_codes.hpp"
#include "app/settings.hpp"

#include <map>
#include <string>
#include <vector>

namespace fp::app {

struct RunOptions {
  std::string file;                      // the document; "-" reads standard input
  std::vector<std::string> input_pairs;  // k=v
  std::string input_file;
  std::vector<std::string> vars;     // k=v
  std::vector<std::string> with;     // further documents: children of the one that runs
  std::vector<std::string> signals;  // NAME=JSON, sent at the start
  std::vector<std::string> approve;  // steps
  std::vector<std::string> reject;
  bool resume = false;
  std::string resume_id;  // "" = all that are unfinished
  bool json_output = false;
  // Of a caller that has the functions (flowpilot.testing): where it reads the door for its worker, and the
  // steps that the types override.STEP of that worker stand in for.
  int gate_fd = -1;
  std::vector<std::string> overrides;
};

/// `flowpilot run`: one execution in this process, or what an earlier process left unfinished.
ExitCode run_command(const RunOptions& options, const Settings& settings);

}  // namespace fp::app

#pragma once

#include "base/error.hpp"

namespace fp::app {

/// Exit codes of the command line (contract section 5).
enum ExitCode : int {
  kOk = 0,
  kExecutionFailed = 1,
  kUsage = 2,
  kNotFound = 3,
  kAuth = 4,
  kTimeout = 5,
  kConflict = 6,
  kUnavailable = 7,
  kInterrupted = 130
};

/// From the error's HTTP status in contract/errors.yaml.
ExitCode exit_code_for(const Error& error);

/// "flowpilot: <message>", a line for each issue, and what to do, on stderr. Gives the exit code.
ExitCode report(const Error& error);

}  // namespace fp::app

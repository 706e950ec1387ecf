#pragma once

#include "launcher/launcher.hpp"
#include "tasks/code/code_run.hpp"

namespace fp::tasks {

/// What the process said of a run that failed ({kind, message, ...}), as an error.
Error to_python_error(const Json& said, const CodeRun& run);
/// A run whose process ended without having said anything.
Error explain_python_end(const launcher::Outcome& outcome, const CodeRun& run);
/// True when a failure is what running out of processes or threads looks like.
bool is_out_of_processes(const Error& error, const launcher::Outcome& outcome);
Error make_process_limit_error();

}  // namespace fp::tasks

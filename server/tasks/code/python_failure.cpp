#include "tasks/code/python_failure.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace fp::tasks {

namespace {

std::string place(const Json& said) {
  const auto* frames = json_find(said, "traceback");
  if (frames == nullptr || !frames->is_array() || frames->get_array().empty()) return "";
  const auto line = json_int(frames->get_array().back(), "line").value_or(0);
  return fmt::format(" (line {})", line);
}

Error with_details(const ErrorCode& code, std::string message, const Json& said) {
  Error error(code, std::move(message));
  JsonObject details;
  for (const char* name : {"type", "errno", "line", "column", "traceback", "status"}) {
    if (const auto* value = json_find(said, name)) details[name] = *value;
  }
  error.details = std::move(details);
  return error;
}

}  // namespace

Error to_python_error(const Json& said, const CodeRun& run) {
  const auto kind = json_string(said, "kind");
  const auto type = json_string(said, "type");
  const auto message = json_string(said, "message");
  if (kind == "memory") {
    Error error =
        with_details(codes::task_oom_killed, make_memory_error(run.memory_bytes).message + place(said), said);
    return error;
  }
  if (kind == "recursion")
    return with_details(codes::python_recursion, "the code calls itself too deeply" + place(said), said);
  if (kind == "syntax")
    return with_details(codes::python_syntax,
                        fmt::format("{} (line {}, column {})", message, json_int(said, "line").value_or(0),
                                    json_int(said, "column").value_or(0)),
                        said);
  if (kind == "exit")
    return with_details(
        codes::python_exit,
        fmt::format("the code ended the process with status {}{}{}", json_int(said, "status").value_or(0),
                    message.empty() ? "" : ": ", message),
        said);
  if (kind == "too_large") return {codes::python_too_large, message};
  if (kind == "result") return {codes::python_result, message};
  Error error =
      with_details(codes::python_exception,
                   fmt::format("{}{}{}{}", type, message.empty() ? "" : ": ", message, place(said)), said);
  error.retryable = false;  // the same code on the same input raises again
  return error;
}

Error explain_python_end(const launcher::Outcome& outcome, const CodeRun& run) {
  using launcher::End;
  switch (outcome.end) {
    case End::timed_out:
      return make_timeout_error(run.time);
    case End::out_of_memory:
      return make_memory_error(run.memory_bytes);
    case End::exited:
      if (outcome.exit_code == 0)
        return {codes::python_no_result, "the process ended before the code gave a result"};
      break;
    case End::signalled:
    case End::killed:
      break;
  }
  Error error(codes::python_exit, "the process " + launcher::describe(outcome));
  JsonObject details;
  if (outcome.end == End::exited)
    details["status"] = outcome.exit_code;
  else
    details["signal"] = outcome.signal;
  error.details = std::move(details);
  return error;
}

bool is_out_of_processes(const Error& error, const launcher::Outcome& outcome) {
  if (error.code == codes::python_exception.id) {
    return json_int(error.details, "errno") == EAGAIN ||
           error.message.find("can't start new thread") != std::string::npos;
  }
  return outcome.refused_processes > 0 &&
         (error.code == codes::task_timeout.id || error.code == codes::python_no_result.id ||
          error.code == codes::python_exit.id);
}

Error make_process_limit_error() {
  return {codes::task_process_limit, "the code started more processes or threads than it may"};
}

}  // namespace fp::tasks

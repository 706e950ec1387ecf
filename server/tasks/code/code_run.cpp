#include "tasks/code/code_run.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::tasks {

Result<CodeRun> read_code_run(const ports::AttemptRequest& request, Milliseconds time,
                              std::uint64_t memory_mb) {
  const auto& config = *request.config;
  CodeRun out;
  out.code = json_string(config, "code");
  const auto* input = json_find(config, "input");
  out.input = input == nullptr ? "null" : to_text(*input);
  if (out.input.size() > kMostInputBytes || out.code.size() > kMostCodeBytes)
    return Error(codes::json_too_large, fmt::format("the input of the code is {} bytes; {} are the most",
                                                    out.input.size(), kMostInputBytes));
  if (const auto seconds = json_int(config, "timeout_seconds")) time = std::chrono::seconds(*seconds);
  if (const auto given = json_int(config, "memory_mb")) memory_mb = static_cast<std::uint64_t>(*given);
  out.time = std::min(time, request.timeout);
  out.memory_bytes = memory_mb << 20;
  return out;
}

Error make_timeout_error(Milliseconds time) {
  return {codes::task_timeout,
          fmt::format("the code ran longer than {} and was stopped", to_display_text(time))};
}

Error make_memory_error(std::uint64_t bytes) {
  return {codes::task_oom_killed, fmt::format("the code used more than its {} MB of memory", bytes >> 20)};
}

Error make_cancelled_error() {
  return {codes::task_cancelled, "the code was stopped"};
}

}  // namespace fp::tasks

#pragma once

#include "ports/task_handler.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace fp::tasks {

/// One attempt of a code step, on its way to a process.
struct CodeRun {
  std::uint64_t id = 0;
  std::string code;
  std::string input;  // JSON text
  Milliseconds time{10'000};
  std::uint64_t memory_bytes = 0;
  std::shared_ptr<ports::AttemptControl> control;
  ports::TaskHandler::Done done;
};

/// Results beyond this are refused.
inline constexpr std::size_t kMostResultBytes = 16u << 20;
inline constexpr std::size_t kMostInputBytes = 12u << 20;
inline constexpr std::size_t kMostCodeBytes = 1u << 20;

/// Reads a config of a code step. Errors: json.too_large.
Result<CodeRun> read_code_run(const ports::AttemptRequest& request, Milliseconds time,
                              std::uint64_t memory_mb);

Error make_timeout_error(Milliseconds time);
Error make_memory_error(std::uint64_t bytes);
Error make_cancelled_error();

}  // namespace fp::tasks

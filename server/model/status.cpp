#include "model/event.hpp"

#include <algorithm>
#include <array>

namespace fp::model {

namespace {
constexpr std::array<std::string_view, 7> kExecution = {"pending",   "running", "waiting",  "paused",
                                                        "completed", "failed",  "cancelled"};
constexpr std::array<std::string_view, 9> kTask = {"pending",   "queued", "running", "retrying", "waiting",
                                                   "completed", "failed", "skipped", "cancelled"};
constexpr std::array<std::string_view, 6> kWait = {"none", "delay", "signal", "approval", "child", "event"};

template <class Enum, std::size_t N>
std::optional<Enum> parse(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}
}  // namespace

std::string_view to_string(ExecutionStatus status) {
  return kExecution[static_cast<std::size_t>(status)];
}
std::string_view to_string(TaskStatus status) {
  return kTask[static_cast<std::size_t>(status)];
}
std::string_view to_string(WaitKind kind) {
  return kWait[static_cast<std::size_t>(kind)];
}
std::optional<ExecutionStatus> parse_execution_status(std::string_view text) {
  return parse<ExecutionStatus>(kExecution, text);
}
std::optional<TaskStatus> parse_task_status(std::string_view text) {
  return parse<TaskStatus>(kTask, text);
}
std::optional<WaitKind> parse_wait_kind(std::string_view text) {
  return parse<WaitKind>(kWait, text);
}

}  // namespace fp::model

#pragma once

#include "base/time.hpp"
#include "ports/task_handler.hpp"

#include <string>
#include <string_view>

namespace fp::tasks {

/// Bytes a program wrote, as text that a log may hold: what is no UTF-8, and control characters other than
/// tab and escape, become U+FFFD.
std::string to_log_text(std::string_view bytes);

/// What a program writes to one of its outputs, cut into lines of an attempt's log as they come. A line that
/// does not end is cut, so that nothing grows.
class LogLines {
 public:
  LogLines(const Clock& clock, std::string level) : clock_(clock), level_(std::move(level)) {}
  void add(std::string_view bytes, ports::AttemptControl& control);
  /// What stands without a line end. Empty lines are left out.
  void finish(ports::AttemptControl& control);

 private:
  const Clock& clock_;
  std::string level_;
  std::string rest_;
};

}  // namespace fp::tasks

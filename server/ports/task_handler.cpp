#include "ports/task_handler.hpp"

#include <fmt/format.h>

namespace fp::ports {

void AttemptControl::log(TimePoint at, std::string level, std::string text) {
  const std::lock_guard lock(mutex_);
  if (lines_.size() < kMaxLines) {
    lines_.push_back({at, std::move(level), std::move(text)});
  } else {
    ++dropped_;
  }
}

std::vector<LogLine> AttemptControl::take_lines() {
  const std::lock_guard lock(mutex_);
  if (dropped_ > 0) {
    lines_.push_back({lines_.back().at, "warning", fmt::format("{} more lines were dropped", dropped_)});
    dropped_ = 0;
  }
  return std::exchange(lines_, {});
}

void AttemptControl::cancel() {
  cancelled_.store(true, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (hook_) hook_();
  hook_ = {};
}

void AttemptControl::set_cancel_hook(UniqueFunction<void()> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
  if (hook_ && is_cancelled()) {
    hook_();
    hook_ = {};
  }
}

}  // namespace fp::ports

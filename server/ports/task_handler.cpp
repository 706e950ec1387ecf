#include "ports/task_handler.hpp"

#include <fmt/format.h>

namespace fp::ports {

void AttemptControl::log(TimePoint at, std::string level, std::string text) {
  if (text.size() > kMostLineBytes) {
    const auto cut = text.size() - kMostLineBytes;
    text.resize(kMostLineBytes);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0)
      text.pop_back();  // half a code point
    text += fmt::format(" ... ({} bytes more)", cut);
  }
  const std::lock_guard lock(mutex_);
  if (kept_lines_ >= kMostLines || kept_bytes_ + text.size() > kMostBytes) {
    ++dropped_;
    return;
  }
  ++kept_lines_;
  kept_bytes_ += text.size();
  lines_.push_back({at, std::move(level), std::move(text)});
  last_at_ = at;
}

std::vector<LogLine> AttemptControl::take_lines(bool last) {
  const std::lock_guard lock(mutex_);
  if (last && dropped_ > 0) {
    lines_.push_back(
        {last_at_, "warning",
         fmt::format("{} more lines were dropped: the log of an attempt ends at {} lines or {} bytes",
                     dropped_, kMostLines, kMostBytes)});
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

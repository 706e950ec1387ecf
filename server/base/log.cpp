#include "base/log.hpp"

#include "base/time.hpp"

#include <atomic>
#include <mutex>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace fp {

namespace {
std::atomic<LogLevel> lowest_level{LogLevel::info};
constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
constexpr int kPatienceMs = 20;
std::mutex write_mutex;
std::uint64_t dropped = 0;  // guarded by write_mutex; lines since the last that was written

std::string make_line(LogLevel level, std::string_view message, JsonObject fields) {
  JsonObject line{{"time", to_rfc3339(SystemClock().now())},
                  {"level", kNames[static_cast<std::size_t>(level)]},
                  {"message", message}};
  for (auto& field : fields) line[field.key()] = std::move(field.value());
  return to_text(line) + "\n";
}

/// Whoever reads the log may have stalled, and the network's threads write to it.
bool has_room(int patience_ms) {
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  return poll(&out, 1, patience_ms) != 0;
}
}  // namespace

void set_log_level(LogLevel lowest) {
  lowest_level = lowest;
}

void log(LogLevel level, std::string_view message, JsonObject fields) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  auto text = make_line(level, message, std::move(fields));
  const std::lock_guard lock(write_mutex);
  if (!has_room(dropped == 0 ? kPatienceMs : 0)) {
    ++dropped;
    return;
  }
  if (const auto lines = std::exchange(dropped, 0); lines > 0)
    text =
        make_line(LogLevel::warning, "log lines were dropped: nobody read them", {{"lines", lines}}) + text;
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace fp

#include "base/log.hpp"

#include "base/time.hpp"

#include <atomic>
#include <unistd.h>

namespace fp {

namespace {
std::atomic<LogLevel> lowest_level{LogLevel::info};
constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
}  // namespace

void set_log_level(LogLevel lowest) {
  lowest_level = lowest;
}

void log(LogLevel level, std::string_view message, JsonObject fields) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  JsonObject line{{"time", to_rfc3339(SystemClock().now())},
                  {"level", kNames[static_cast<std::size_t>(level)]},
                  {"message", message}};
  for (auto& field : fields) line[field.key()] = std::move(field.value());
  auto text = to_text(line) + "\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace fp

#include "base/failpoint.hpp"

#ifdef FLOWPILOT_FAILPOINTS

#include "base/error.hpp"
#include "base/error_code.hpp"

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <list>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace fp::detail {

namespace {

struct Failpoint {
  std::string name;
  std::string action;
  std::atomic<int> left{1};
};

int number_after(std::string_view text, char mark, int fallback) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return fallback;
  int value = fallback;
  std::from_chars(text.data() + at + 1, text.data() + text.size(), value);
  return value;
}

std::list<Failpoint> parse_environment() {
  std::list<Failpoint> points;
  const char* setting = std::getenv("FLOWPILOT_FAILPOINTS");
  std::string_view rest = setting == nullptr ? "" : setting;
  while (!rest.empty()) {
    const auto entry = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    const auto colon = entry.find(':');
    if (colon == std::string_view::npos) continue;
    auto& point = points.emplace_back();
    point.name = entry.substr(0, colon);
    point.action = entry.substr(colon + 1);
    point.left = number_after(point.action, '@', 1);
  }
  return points;
}

}  // namespace

void hit_failpoint(const char* name) {
  static std::list<Failpoint> points = parse_environment();
  for (auto& point : points) {
    if (point.name != name) continue;
    if (point.action.starts_with("sleep")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(number_after(point.action, ':', 100)));
    } else if (point.left.fetch_sub(1) == 1) {
      if (point.action.starts_with("throw")) throw Unavailable(Error(codes::storage_io, "a failpoint threw"));
      kill(getpid(), SIGKILL);
    }
  }
}

}  // namespace fp::detail

#endif

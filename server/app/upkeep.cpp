#include "app/upkeep.hpp"

#include "base/log.hpp"

namespace fp::app {

namespace {
constexpr std::size_t kChunk = 200;
constexpr Milliseconds kBetweenChunks{20};
constexpr Milliseconds kBetweenSweeps{10 * 60 * 1000};
constexpr auto kKeepKeys = std::chrono::days(7);
}  // namespace

Upkeep::Upkeep(ports::Store& store, const Clock& clock, std::size_t retention_days)
    : store_(store), clock_(clock), retention_days_(retention_days), loop_("upkeep", clock) {
  loop_.post_after(kBetweenChunks, [this] { sweep(); });
}

Upkeep::~Upkeep() {
  loop_.stop();
}

void Upkeep::sweep() {
  const auto now = clock_.now();
  const auto oldest = retention_days_ == 0 ? TimePoint() : now - std::chrono::days(retention_days_);
  bool more = false;
  try {
    const auto pruned = store_.prune(now, oldest, now - kKeepKeys, kChunk);
    more = pruned.more;
    if (pruned.executions > 0)
      log(LogLevel::info, "pruned", {{"executions", pruned.executions}, {"blobs", pruned.blobs}});
  } catch (const Unavailable& unavailable) {
    // The next commit meets the same trouble and says so to everybody.
    log(LogLevel::error, "retention could not delete", {{"code", unavailable.error().code}});
  }
  loop_.post_after(more ? kBetweenChunks : kBetweenSweeps, [this] { sweep(); });
}

}  // namespace fp::app

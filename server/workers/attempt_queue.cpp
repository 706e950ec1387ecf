#include "workers/attempt_queue.hpp"

namespace fp::workers {

bool AttemptQueue::add(QueuedAttempt attempt) {
  if (places_.size() >= most_) return false;
  auto& lane = lanes_[attempt.request.step_type];
  places_.emplace(attempt.key, Place{&lane, ++last_});
  lane.emplace_hint(lane.end(), last_, std::move(attempt));
  return true;
}

bool AttemptQueue::remove(const AttemptKey& key) {
  const auto found = places_.find(key);
  if (found == places_.end()) return false;
  found->second.lane->erase(found->second.number);
  places_.erase(found);
  return true;
}

std::optional<QueuedAttempt> AttemptQueue::take(const std::vector<std::string>& types,
                                                const std::function<bool(const QueuedAttempt&)>& may_run) {
  constexpr int kMostLookedAt = 100;
  Lane* best_lane = nullptr;
  Lane::iterator best;
  for (const auto& type : types) {
    const auto lane = lanes_.find(type);
    if (lane == lanes_.end()) continue;
    int looked_at = 0;
    for (auto at = lane->second.begin(); at != lane->second.end() && looked_at < kMostLookedAt;
         ++at, ++looked_at) {
      if (best_lane != nullptr && best->first < at->first) break;
      if (!may_run(at->second)) continue;
      best_lane = &lane->second;
      best = at;
      break;
    }
  }
  if (best_lane == nullptr) return std::nullopt;
  auto taken = std::move(best->second);
  best_lane->erase(best);
  places_.erase(taken.key);
  return taken;
}

std::size_t AttemptQueue::count(const std::string& type) const {
  const auto lane = lanes_.find(type);
  return lane == lanes_.end() ? 0 : lane->second.size();
}

std::optional<TimePoint> AttemptQueue::find_oldest(const std::string& type) const {
  const auto lane = lanes_.find(type);
  if (lane == lanes_.end() || lane->second.empty()) return std::nullopt;
  return lane->second.begin()->second.since;
}

}  // namespace fp::workers

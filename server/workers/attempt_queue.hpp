#pragma once

#include "ports/worker_transport.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace fp::workers {

/// What names an attempt on the server's side: a lease of one shard.
struct AttemptKey {
  ports::WorkerTransport::Sink* sink = nullptr;
  ports::LeaseId lease = 0;
  bool operator==(const AttemptKey&) const = default;
};
struct AttemptKeyHash {
  std::size_t operator()(const AttemptKey& key) const noexcept {
    return std::hash<void*>{}(key.sink) ^ (key.lease * 0x9E3779B97F4A7C15ULL);
  }
};

struct QueuedAttempt {
  AttemptKey key;
  ports::AttemptRequest request;
  TimePoint since{};
};

/// Attempts of functions that no worker has yet, in the order they came, by step type. Bounded: what does not
/// fit is refused and stays with its shard. Not thread-safe.
class AttemptQueue {
 public:
  explicit AttemptQueue(std::size_t most) : most_(most) {}

  /// False when it is full.
  bool add(QueuedAttempt attempt);
  bool remove(const AttemptKey& key);
  /// The one that came first among those of these types that `may_run` says yes to. Of each type it looks at
  /// the first hundred.
  std::optional<QueuedAttempt> take(const std::vector<std::string>& types,
                                    const std::function<bool(const QueuedAttempt&)>& may_run);
  std::size_t size() const { return places_.size(); }
  std::size_t count(const std::string& type) const;
  std::optional<TimePoint> find_oldest(const std::string& type) const;

 private:
  using Lane = std::map<std::uint64_t, QueuedAttempt>;  // by arrival
  struct Place {
    Lane* lane = nullptr;
    std::uint64_t number = 0;
  };
  std::size_t most_;
  std::uint64_t last_ = 0;
  std::map<std::string, Lane> lanes_;  // one that was made stays
  std::unordered_map<AttemptKey, Place, AttemptKeyHash> places_;
};

}  // namespace fp::workers

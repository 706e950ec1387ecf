#pragma once

#include "base/ids.hpp"
#include "model/event.hpp"
#include "ports/worker_transport.hpp"

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace fp::runtime {

struct Lease {
  ExecutionId execution;
  model::TaskRef task;
  std::uint32_t attempt = 0;
  Milliseconds timeout{};  // of the attempt, from when it is begun
  bool queued = false;     // waits for a worker: neither expires nor runs out of time
  SteadyPoint expires{};   // unless renewed
  SteadyPoint deadline{};  // of the attempt itself
};

/// Who carries out what until when, for one shard. Slots are counted from here, never kept as a counter.
/// Monotonic time only: a wall clock that jumps costs nobody a lease. Lives on the shard's strand.
class LeaseTable {
 public:
  explicit LeaseTable(SteadyPoint::duration ttl) : ttl_(ttl) {}

  ports::LeaseId grant(Lease lease, SteadyPoint now);
  /// A worker has it from now on. nullptr when it has ended.
  const Lease* begin(ports::LeaseId id, SteadyPoint now);
  /// The attempt goes to a queue: it has no worker yet.
  void hold(ports::LeaseId id);
  /// nullptr when it has ended.
  const Lease* get(ports::LeaseId id) const;
  /// The lease, taken out; nullopt when it ended before.
  std::optional<Lease> release(ports::LeaseId id);
  /// The same for one that is overdue: the table remembers the newest 1,000 of them, for results that still
  /// come.
  std::optional<Lease> give_up(ports::LeaseId id);
  std::optional<Lease> take_given_up(ports::LeaseId id);
  std::optional<ports::LeaseId> find(const ExecutionId& execution, model::TaskRef task,
                                     std::uint32_t attempt) const;
  void renew(const std::vector<ports::LeaseId>& ids, SteadyPoint now);
  struct Overdue {
    ports::LeaseId id = 0;
    bool out_of_time = false;  // the attempt took too long; otherwise its worker is silent
  };
  std::vector<Overdue> list_overdue(SteadyPoint now) const;
  std::vector<std::pair<ports::LeaseId, Lease>> list_all() const { return {leases_.begin(), leases_.end()}; }
  /// When list_overdue may next have something.
  std::optional<SteadyPoint> next_check() const;
  std::size_t size() const { return leases_.size(); }
  std::size_t count_begun() const { return by_expiry_.size(); }

 private:
  struct Key {
    ExecutionId execution;
    model::TaskRef task;
    std::uint32_t attempt = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      const auto low = (std::uint64_t{key.task.step} << 32 | key.task.item) + key.attempt;
      return std::hash<ExecutionId>{}(key.execution) ^ (low * 0x9E3779B97F4A7C15ULL);
    }
  };
  static Key key_of(const Lease& lease) { return {lease.execution, lease.task, lease.attempt}; }
  void clock(ports::LeaseId id, Lease& lease, SteadyPoint now);
  void unclock(ports::LeaseId id, const Lease& lease);

  SteadyPoint::duration ttl_;
  ports::LeaseId last_ = 0;
  std::unordered_map<ports::LeaseId, Lease> leases_;
  std::unordered_map<Key, ports::LeaseId, KeyHash> by_attempt_;
  std::map<ports::LeaseId, Lease> given_up_;
  std::set<std::pair<SteadyPoint, ports::LeaseId>> by_deadline_;
  std::set<std::pair<SteadyPoint, ports::LeaseId>> by_expiry_;
};

}  // namespace fp::runtime

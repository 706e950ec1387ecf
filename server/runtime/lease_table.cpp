#include "runtime/lease_table.hpp"

#include <algorithm>

namespace fp::runtime {

namespace {
constexpr std::size_t kMostGivenUp = 1000;
}

void LeaseTable::clock(ports::LeaseId id, Lease& lease, SteadyPoint now) {
  lease.queued = false;
  lease.expires = now + ttl_;
  lease.deadline = now + lease.timeout;
  by_deadline_.emplace(lease.deadline, id);
  by_expiry_.emplace(lease.expires, id);
}

void LeaseTable::unclock(ports::LeaseId id, const Lease& lease) {
  by_deadline_.erase({lease.deadline, id});
  by_expiry_.erase({lease.expires, id});
}

ports::LeaseId LeaseTable::grant(Lease lease, SteadyPoint now) {
  const auto id = ++last_;
  clock(id, lease, now);
  by_attempt_.insert_or_assign(key_of(lease), id);
  leases_.emplace(id, std::move(lease));
  return id;
}

const Lease* LeaseTable::begin(ports::LeaseId id, SteadyPoint now) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return nullptr;
  unclock(id, found->second);
  clock(id, found->second, now);
  return &found->second;
}

void LeaseTable::hold(ports::LeaseId id) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return;
  unclock(id, found->second);
  found->second.queued = true;
}

const Lease* LeaseTable::get(ports::LeaseId id) const {
  const auto found = leases_.find(id);
  return found == leases_.end() ? nullptr : &found->second;
}

std::optional<Lease> LeaseTable::release(ports::LeaseId id) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return std::nullopt;
  const Lease lease = found->second;
  unclock(id, lease);
  const auto place = by_attempt_.find(key_of(lease));
  if (place != by_attempt_.end() && place->second == id) by_attempt_.erase(place);
  leases_.erase(found);
  return lease;
}

std::optional<Lease> LeaseTable::give_up(ports::LeaseId id) {
  const auto lease = release(id);
  if (!lease) return lease;
  given_up_.emplace(id, *lease);
  if (given_up_.size() > kMostGivenUp) given_up_.erase(given_up_.begin());
  return lease;
}

std::optional<Lease> LeaseTable::take_given_up(ports::LeaseId id) {
  const auto node = given_up_.extract(id);
  return node.empty() ? std::nullopt : std::optional(node.mapped());
}

std::optional<ports::LeaseId> LeaseTable::find(const ExecutionId& execution, model::TaskRef task,
                                               std::uint32_t attempt) const {
  const auto found = by_attempt_.find({execution, task, attempt});
  return found == by_attempt_.end() ? std::nullopt : std::optional(found->second);
}

void LeaseTable::renew(const std::vector<ports::LeaseId>& ids, SteadyPoint now) {
  for (const auto id : ids) {
    const auto found = leases_.find(id);
    if (found == leases_.end() || found->second.queued) continue;
    by_expiry_.erase({found->second.expires, id});
    found->second.expires = now + ttl_;
    by_expiry_.emplace(found->second.expires, id);
  }
}

std::vector<LeaseTable::Overdue> LeaseTable::list_overdue(SteadyPoint now) const {
  std::vector<Overdue> out;
  for (const auto& [deadline, id] : by_deadline_) {
    if (deadline > now) break;
    out.push_back({id, true});
  }
  for (const auto& [expires, id] : by_expiry_) {
    if (expires > now) break;
    const bool listed = leases_.at(id).deadline <= now;
    if (!listed) out.push_back({id, false});
  }
  return out;
}

std::optional<SteadyPoint> LeaseTable::next_check() const {
  if (by_expiry_.empty()) return std::nullopt;
  return std::min(by_deadline_.begin()->first, by_expiry_.begin()->first);
}

}  // namespace fp::runtime

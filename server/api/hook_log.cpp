#include "api/hook_log.hpp"

#include <algorithm>

namespace fp::api {

void HookLog::add(const WorkflowId& workflow, const std::string& trigger, HookRecord record) {
  const std::lock_guard lock(mutex_);
  const bool is_good = record.outcome == "triggered" || record.outcome == "deduplicated";
  ++totals_[is_good ? record.outcome : "refused"];
  record.number = next_++;
  auto& records = records_[{workflow, trigger}];
  records.push_back(std::move(record));
  if (records.size() > kMostRequests) records.pop_front();
  make_room();
}

void HookLog::make_room() {
  if (records_.size() <= kMostHooks) return;
  records_.erase(
      std::ranges::min_element(records_, {}, [](const auto& entry) { return entry.second.back().number; }));
}

std::vector<HookRecord> HookLog::list(const WorkflowId& workflow, std::string_view trigger) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find({workflow, std::string(trigger)});
  if (found == records_.end()) return {};
  return {found->second.rbegin(), found->second.rend()};
}

std::optional<HookRecord> HookLog::find(const WorkflowId& workflow, std::string_view trigger,
                                        std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find({workflow, std::string(trigger)});
  if (found == records_.end()) return std::nullopt;
  const auto record = std::ranges::find(found->second, number, &HookRecord::number);
  return record == found->second.end() ? std::nullopt : std::optional(*record);
}

std::uint64_t HookLog::count(const std::string& outcome) const {
  const std::lock_guard lock(mutex_);
  const auto found = totals_.find(outcome);
  return found == totals_.end() ? 0 : found->second;
}

}  // namespace fp::api

#include "store/memory/memory_store.hpp"
#include "store/memory/memory_writes.hpp"

#include <algorithm>
#include <limits>

// What triggers leave behind besides ticks.
namespace fp::store {

using namespace fp::ports;

void MemoryStore::put_hook_requests(const std::vector<HookRequestRecord>& requests, std::size_t keep) {
  require_healthy();
  disk_->state().with([&](MemoryState& state) {
    auto& all = state.hook_requests;
    for (const auto& one : requests) {
      all.insert_or_assign({one.workflow, one.trigger, one.number}, one);
      auto first = all.lower_bound({one.workflow, one.trigger, 0});
      const auto end =
          all.upper_bound({one.workflow, one.trigger, std::numeric_limits<std::uint64_t>::max()});
      const auto count = static_cast<std::size_t>(std::distance(first, end));
      for (std::size_t i = keep; i < count; ++i) first = all.erase(first);
    }
  });
}

std::vector<HookRequestRecord> MemoryStore::list_hook_requests(const WorkflowId& workflow,
                                                               std::string_view trigger, std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) {
    const auto& all = state.hook_requests;
    const std::string name(trigger);
    const auto first = all.lower_bound({workflow, name, 0});
    auto at = all.upper_bound({workflow, name, std::numeric_limits<std::uint64_t>::max()});
    std::vector<HookRequestRecord> out;
    while (at != first && out.size() < limit) out.push_back((--at)->second);
    return out;
  });
}

std::uint64_t MemoryStore::last_hook_request() {
  return disk_->state().with([](const MemoryState& state) {
    std::uint64_t last = 0;
    for (const auto& entry : state.hook_requests) last = std::max(last, entry.second.number);
    return last;
  });
}

void MemoryStore::put_schedule_state(const ScheduleState& said) {
  require_healthy();
  disk_->state().with([&](MemoryState& state) {
    state.schedule_states.insert_or_assign({said.workflow, said.trigger}, said);
  });
}

std::vector<ScheduleState> MemoryStore::list_schedule_states() {
  return disk_->state().with([](const MemoryState& state) {
    std::vector<ScheduleState> out;
    for (const auto& entry : state.schedule_states) out.push_back(entry.second);
    return out;
  });
}

bool is_tick_taken(const MemoryState& state, const TickRecord& tick) {
  const auto found = state.ticks.find({tick.workflow, tick.trigger, tick.tick});
  return found != state.ticks.end() && (!tick.takes_over || found->second.execution);
}

void add_tick(MemoryState& state, TickRecord tick) {
  if (is_tick_taken(state, tick)) return;
  tick.takes_over = false;
  state.ticks.insert_or_assign({tick.workflow, tick.trigger, tick.tick}, std::move(tick));
}

std::size_t prune_hook_requests(MemoryState& state, TimePoint before, std::size_t limit) {
  std::size_t count = 0;
  for (auto at = state.hook_requests.begin(); at != state.hook_requests.end() && count < limit;) {
    const bool is_old = at->second.at < before;
    at = is_old ? state.hook_requests.erase(at) : std::next(at);
    if (is_old) ++count;
  }
  return count;
}

}  // namespace fp::store

#include "store/memory/memory_events.hpp"

#include <algorithm>

namespace fp::store {

using namespace fp::ports;

void add_events(MemoryState& state, const ExecutionWrite& write) {
  for (auto event : write.published) {
    const bool is_known =
        std::ranges::any_of(state.events, [&](const auto& known) { return known.second.id == event.id; });
    if (is_known) continue;
    event.number = state.next_event++;
    event.handled_at.reset();
    event.started = 0;
    event.outcome.clear();
    state.events.emplace(event.number, std::move(event));
  }
  for (const auto& task : write.waits_ended) state.event_waits.erase({write.id, task});
  for (const auto& wait : write.waits_begun)
    state.event_waits.insert_or_assign({wait.execution, wait.task}, MemoryState::Wait{wait, false});
}

std::size_t prune_events(MemoryState& state, TimePoint before, std::size_t limit) {
  std::size_t looked_at = 0;
  std::size_t pruned = 0;
  for (auto at = state.events.begin(); at != state.events.end() && looked_at++ < limit;) {
    const bool is_old = at->second.handled_at && at->second.at < before;
    pruned += is_old ? 1 : 0;
    at = is_old ? state.events.erase(at) : std::next(at);
  }
  return pruned;
}

template <class Test>
std::vector<PublishedEvent> MemoryEventStore::select(Test fits, std::size_t limit) {
  return disk_.state().with([&](const MemoryState& state) {
    std::vector<PublishedEvent> out;
    for (const auto& [number, event] : state.events) {
      if (out.size() == limit) break;
      if (fits(event)) out.push_back(event);
    }
    return out;
  });
}

template <class Test>
std::vector<EventWait> MemoryEventStore::select_waits(Test fits, std::size_t limit) {
  return disk_.state().with([&](const MemoryState& state) {
    std::vector<EventWait> out;
    for (const auto& [key, entry] : state.event_waits) {
      if (out.size() == limit) break;
      if (fits(entry)) out.push_back(entry.wait);
    }
    return out;
  });
}

std::vector<PublishedEvent> MemoryEventStore::list_unhandled(std::size_t limit) {
  return select([](const PublishedEvent& event) { return !event.handled_at; }, limit);
}

EventPage MemoryEventStore::list(const EventFilter& filter, std::optional<std::uint64_t> before,
                                 std::size_t limit) {
  return disk_.state().with([&](const MemoryState& state) {
    EventPage page;
    for (auto at = state.events.rbegin(); at != state.events.rend(); ++at) {
      const auto& event = at->second;
      const bool fits = (filter.name.empty() || event.name == filter.name) &&
                        (filter.name.empty() || filter.key.empty() || event.key == filter.key);
      if ((before && event.number >= *before) || !fits) continue;
      if (page.items.size() == limit) {
        if (limit > 0) page.next = page.items.back().number;
        break;
      }
      page.items.push_back(event);
    }
    return page;
  });
}

std::optional<PublishedEvent> MemoryEventStore::find(const EventId& id) {
  auto found = select([&](const PublishedEvent& event) { return event.id == id; }, 1);
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<PublishedEvent> MemoryEventStore::list_for(const EventWait& wait, std::size_t limit) {
  return select(
      [&](const PublishedEvent& event) {
        return event.name == wait.name && event.at >= wait.since &&
               (wait.key.empty() || event.key == wait.key);
      },
      limit);
}

std::uint64_t MemoryEventStore::count_started(const EventId& root) {
  return disk_.state().with([&](const MemoryState& state) {
    std::uint64_t total = 0;
    for (const auto& [number, event] : state.events) total += event.root == root ? event.started : 0;
    return total;
  });
}

std::vector<EventWait> MemoryEventStore::list_waits(std::string_view name, std::string_view key,
                                                    std::size_t limit) {
  return select_waits(
      [&](const MemoryState::Wait& entry) {
        return entry.wait.name == name && (entry.wait.key.empty() || entry.wait.key == key);
      },
      limit);
}

std::vector<EventWait> MemoryEventStore::list_new_waits(std::size_t limit) {
  return select_waits([](const MemoryState::Wait& entry) { return !entry.looked_back; }, limit);
}

void MemoryEventStore::settle(const EventSettlement& settlement) {
  require_healthy_();
  disk_.state().with([&](MemoryState& state) {
    for (const auto& event : settlement.handled) {
      const auto found = state.events.find(event.number);
      if (found == state.events.end()) continue;
      found->second.handled_at = event.handled_at;
      found->second.started = event.started;
      found->second.outcome = event.outcome;
    }
    for (const auto& wait : settlement.looked_back) {
      const auto found = state.event_waits.find({wait.execution, wait.task});
      if (found != state.event_waits.end()) found->second.looked_back = true;
    }
    for (auto entry : settlement.inbox) {
      entry.number = state.next_inbox++;
      state.inbox.emplace(entry.number, std::move(entry));
    }
  });
}

}  // namespace fp::store

#pragma once

#include "store/memory/memory_disk.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::store {

/// The events of MemoryStore.
class MemoryEventStore final : public ports::EventStore {
 public:
  MemoryEventStore(MemoryDisk& disk, std::function<void()> require_healthy)
      : disk_(disk), require_healthy_(std::move(require_healthy)) {}

  std::vector<ports::PublishedEvent> list_unhandled(std::size_t limit) override;
  ports::EventPage list(const ports::EventFilter& filter, std::optional<std::uint64_t> before,
                        std::size_t limit) override;
  std::optional<ports::PublishedEvent> find(const EventId& id) override;
  std::vector<ports::PublishedEvent> list_for(const ports::EventWait& wait, std::size_t limit) override;
  std::uint64_t count_started(const EventId& root) override;
  std::vector<ports::EventWait> list_waits(std::string_view name, std::string_view key,
                                           std::size_t limit) override;
  std::vector<ports::EventWait> list_new_waits(std::size_t limit) override;
  void settle(const ports::EventSettlement& settlement) override;

 private:
  template <class Test>
  std::vector<ports::PublishedEvent> select(Test fits, std::size_t limit);
  template <class Test>
  std::vector<ports::EventWait> select_waits(Test fits, std::size_t limit);

  MemoryDisk& disk_;
  std::function<void()> require_healthy_;
};

/// In the transaction of a decision.
void add_events(MemoryState& state, const ports::ExecutionWrite& write);
std::size_t prune_events(MemoryState& state, TimePoint before, std::size_t limit);

}  // namespace fp::store

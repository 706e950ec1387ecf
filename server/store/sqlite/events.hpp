#pragma once

#include "ports/store.hpp"
#include "store/sqlite/reader_pool.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace fp::store {

/// In the transaction of a decision.
void add_events(Connection& connection, const ports::ExecutionWrite& write);

/// The reading verbs on the pool, the writing one through the store's writer.
class SqliteEventStore final : public ports::EventStore {
 public:
  /// Runs the work in one transaction of the writer.
  using Transact = std::function<void(const std::function<void(Connection&)>&)>;
  SqliteEventStore(ReaderPool& readers, Transact transact)
      : readers_(readers), transact_(std::move(transact)) {}

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
  ReaderPool& readers_;
  Transact transact_;
};

}  // namespace fp::store

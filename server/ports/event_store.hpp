#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "ports/store_records.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::ports {

/// Something that happened, for those who subscribe to it or wait for it.
struct PublishedEvent {
  std::uint64_t number = 0;  // given by the store, growing
  EventId id;                // an event that is published again is the same one
  std::string name;
  std::string key;          // what those who wait for it compare; "" = none
  std::string data;         // JSON text
  std::string source;       // JSON text, opaque to the store
  EventId root;             // the first event of the chain that led to this one
  std::uint32_t depth = 0;  // of executions above it that started each other
  TimePoint at{};
  // Since it was handed out:
  std::optional<TimePoint> handled_at;
  std::uint32_t started = 0;  // executions
  std::string outcome;        // JSON text, opaque to the store: what became of it, and where
  bool operator==(const PublishedEvent&) const = default;
};

/// A task that waits for an event. Recorded with the decision to wait, deleted with the one that ends it.
struct EventWait {
  ExecutionId execution;
  std::string task;  // which of its tasks, opaque to the store
  std::string name;
  std::string key;          // "" = an event with any key
  TimePoint since{};        // events from then on count
  std::uint32_t taken = 0;  // how many events the execution had before
  bool operator==(const EventWait&) const = default;
};

struct EventFilter {
  std::string name;  // "" = any
  std::string key;   // with a name only; "" = any
};
struct EventPage {
  std::vector<PublishedEvent> items;  // newest first
  std::optional<std::uint64_t> next;  // pass as `before` for the following page
};

/// What was done about some events and waits.
struct EventSettlement {
  std::vector<PublishedEvent> handled;  // their handled_at, started and outcome are recorded
  std::vector<EventWait> looked_back;   // earlier events have been found for them
  std::vector<InboxEntry> inbox;        // for the executions that waited
};

/// The events of a store: a part of it, with its promises (Store).
class EventStore {
 public:
  virtual ~EventStore() = default;

  /// Those that nobody has handed out, oldest first.
  virtual std::vector<PublishedEvent> list_unhandled(std::size_t limit) = 0;
  virtual EventPage list(const EventFilter& filter, std::optional<std::uint64_t> before,
                         std::size_t limit) = 0;
  virtual std::optional<PublishedEvent> find(const EventId& id) = 0;
  /// What a wait would have liked to see: events of its name and key from `since` on, oldest first.
  virtual std::vector<PublishedEvent> list_for(const EventWait& wait, std::size_t limit) = 0;
  /// How many executions the events of a chain have started.
  virtual std::uint64_t count_started(const EventId& root) = 0;

  /// Those that an event with this name and key ends.
  virtual std::vector<EventWait> list_waits(std::string_view name, std::string_view key,
                                            std::size_t limit) = 0;
  /// Those for which earlier events have not been looked for yet.
  virtual std::vector<EventWait> list_new_waits(std::size_t limit) = 0;

  /// One transaction, durable on return.
  virtual void settle(const EventSettlement& settlement) = 0;
};

}  // namespace fp::ports

#include "store/sqlite/events.hpp"

#include "base/failpoint.hpp"
#include "store/sqlite/execution_rows.hpp"

#include <limits>

namespace fp::store {

using namespace fp::ports;

namespace {

PublishedEvent read_event(const Statement& row) {
  PublishedEvent event;
  event.number = row.unsigned_integer(0);
  event.id = row.id<EventId>(1);
  event.name = row.text(2);
  event.key = row.text(3);
  event.data = row.text(4);
  event.source = row.text(5);
  event.root = row.id<EventId>(6);
  event.depth = static_cast<std::uint32_t>(row.integer(7));
  event.at = row.time(8);
  event.handled_at = row.optional_time(9);
  event.started = static_cast<std::uint32_t>(row.integer(10));
  event.outcome = row.text(11);
  return event;
}

std::vector<PublishedEvent> read_events(Statement& rows) {
  std::vector<PublishedEvent> out;
  while (rows.step()) out.push_back(read_event(rows));
  return out;
}

std::vector<EventWait> read_waits(Statement& rows) {
  std::vector<EventWait> out;
  while (rows.step())
    out.push_back({rows.execution_id(0), rows.text(1), rows.text(2), rows.text(3), rows.time(4),
                   static_cast<std::uint32_t>(rows.integer(5))});
  return out;
}

}  // namespace

void add_events(Connection& connection, const ExecutionWrite& write) {
  for (const auto& event : write.published) {
    connection.use(sql::add_event)
        .bind(1, event.id)
        .bind(2, std::string_view(event.name))
        .bind(3, std::string_view(event.key))
        .bind(4, std::string_view(event.data))
        .bind(5, std::string_view(event.source))
        .bind(6, event.root)
        .bind(7, std::int64_t{event.depth})
        .bind(8, event.at)
        .run();
  }
  for (const auto& task : write.waits_ended)
    connection.use(sql::delete_event_wait).bind(1, write.id).bind(2, std::string_view(task)).run();
  for (const auto& wait : write.waits_begun) {
    connection.use(sql::add_event_wait)
        .bind(1, wait.execution)
        .bind(2, std::string_view(wait.task))
        .bind(3, std::string_view(wait.name))
        .bind(4, std::string_view(wait.key))
        .bind(5, wait.since)
        .bind(6, std::int64_t{wait.taken})
        .run();
  }
}

std::vector<PublishedEvent> SqliteEventStore::list_unhandled(std::size_t limit) {
  return readers_.with([&](Connection& reader) {
    auto rows = reader.use(sql::list_unhandled_events);
    rows.bind(1, std::uint64_t{limit});
    return read_events(rows);
  });
}

EventPage SqliteEventStore::list(const EventFilter& filter, std::optional<std::uint64_t> before,
                                 std::size_t limit) {
  constexpr auto kNone = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return readers_.with([&](Connection& reader) {
    auto rows = reader.use(filter.name.empty()  ? sql::list_events
                           : filter.key.empty() ? sql::list_events_of_name
                                                : sql::list_events_of_key);
    rows.bind(1, before.value_or(kNone)).bind(2, std::uint64_t{limit} + 1);
    if (!filter.name.empty()) rows.bind(3, std::string_view(filter.name));
    if (!filter.name.empty() && !filter.key.empty()) rows.bind(4, std::string_view(filter.key));
    EventPage page{read_events(rows), std::nullopt};
    if (page.items.size() > limit) {
      page.items.resize(limit);
      if (limit > 0) page.next = page.items.back().number;
    }
    return page;
  });
}

std::optional<PublishedEvent> SqliteEventStore::find(const EventId& id) {
  return readers_.with([&](Connection& reader) -> std::optional<PublishedEvent> {
    auto row = reader.use(sql::find_event);
    if (!row.bind(1, id).step()) return std::nullopt;
    return read_event(row);
  });
}

std::vector<PublishedEvent> SqliteEventStore::list_for(const EventWait& wait, std::size_t limit) {
  return readers_.with([&](Connection& reader) {
    auto rows = reader.use(wait.key.empty() ? sql::list_events_since : sql::list_keyed_events_since);
    rows.bind(1, std::string_view(wait.name)).bind(2, wait.since).bind(3, std::uint64_t{limit});
    if (!wait.key.empty()) rows.bind(4, std::string_view(wait.key));
    return read_events(rows);
  });
}

std::uint64_t SqliteEventStore::count_started(const EventId& root) {
  return readers_.with([&](Connection& reader) {
    auto row = reader.use(sql::count_event_starts);
    row.bind(1, root).step();
    return row.unsigned_integer(0);
  });
}

std::vector<EventWait> SqliteEventStore::list_waits(std::string_view name, std::string_view key,
                                                    std::size_t limit) {
  return readers_.with([&](Connection& reader) {
    auto rows = reader.use(sql::list_event_waits);
    rows.bind(1, name).bind(2, key).bind(3, std::uint64_t{limit});
    return read_waits(rows);
  });
}

std::vector<EventWait> SqliteEventStore::list_new_waits(std::size_t limit) {
  return readers_.with([&](Connection& reader) {
    auto rows = reader.use(sql::list_new_event_waits);
    rows.bind(1, std::uint64_t{limit});
    return read_waits(rows);
  });
}

void SqliteEventStore::settle(const EventSettlement& settlement) {
  transact_([&](Connection& writer) {
    for (const auto& event : settlement.handled) {
      writer.use(sql::handle_event)
          .bind(1, event.number)
          .bind(2, event.handled_at)
          .bind(3, std::int64_t{event.started})
          .bind(4, std::string_view(event.outcome))
          .run();
    }
    for (const auto& wait : settlement.looked_back)
      writer.use(sql::end_looking_back).bind(1, wait.execution).bind(2, std::string_view(wait.task)).run();
    add_inbox(writer, settlement.inbox);
    FP_FAILPOINT("events.settle.before");
  });
}

}  // namespace fp::store

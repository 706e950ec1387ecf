#include "store/sqlite/trigger_rows.hpp"

#include "store/sqlite/sqlite_store.hpp"
#include "store/sqlite/sqlite_writer.hpp"

#include <set>
#include <utility>

// What triggers leave behind besides ticks.
namespace fp::store {

using namespace fp::ports;

void SqliteWriter::put_hook_requests(const std::vector<HookRequestRecord>& requests, std::size_t keep) {
  guard([&] {
    connection_->use(sql::begin_write).run();
    std::set<std::pair<WorkflowId, std::string>> hooks;
    for (const auto& one : requests) {
      connection_->use(sql::put_hook_request)
          .bind(1, one.number)
          .bind(2, one.workflow)
          .bind(3, std::string_view(one.trigger))
          .bind(4, one.at)
          .bind(5, std::string_view(one.record))
          .run();
      hooks.emplace(one.workflow, one.trigger);
    }
    for (const auto& [workflow, trigger] : hooks) {
      connection_->use(sql::trim_hook_requests)
          .bind(1, workflow)
          .bind(2, std::string_view(trigger))
          .bind(3, static_cast<std::uint64_t>(keep))
          .run();
    }
    connection_->use(sql::commit).run();
  });
}

void SqliteWriter::put_schedule_state(const ScheduleState& state) {
  guard([&] {
    connection_->use(sql::put_schedule_state)
        .bind(1, state.workflow)
        .bind(2, std::string_view(state.trigger))
        .bind(3, std::int64_t{state.is_paused})
        .bind(4, std::string_view(state.note))
        .bind(5, std::string_view(state.changed_by))
        .bind(6, state.changed_at)
        .bind(7, state.execution)
        .run();
  });
}

void SqliteWriter::prune_hook_requests(TimePoint before, std::size_t limit) {
  guard([&] {
    connection_->use(sql::prune_hook_requests).bind(1, before).bind(2, std::uint64_t{limit}).run();
  });
}

void SqliteStore::put_hook_requests(const std::vector<HookRequestRecord>& requests, std::size_t keep) {
  writer().with([&](SqliteWriter& writer) { writer.put_hook_requests(requests, keep); });
}

void SqliteStore::put_schedule_state(const ScheduleState& state) {
  writer().with([&](SqliteWriter& writer) { writer.put_schedule_state(state); });
}

std::vector<HookRequestRecord> SqliteStore::list_hook_requests(const WorkflowId& workflow,
                                                               std::string_view trigger, std::size_t limit) {
  return readers_->with(
      [&](Connection& reader) { return reads::list_hook_requests(reader, workflow, trigger, limit); });
}

std::uint64_t SqliteStore::last_hook_request() {
  return readers_->with([](Connection& reader) {
    auto statement = reader.use(sql::last_hook_request);
    statement.step();
    return statement.unsigned_integer(0);
  });
}

std::vector<ScheduleState> SqliteStore::list_schedule_states() {
  return readers_->with([](Connection& reader) { return reads::list_schedule_states(reader); });
}

namespace reads {

std::vector<HookRequestRecord> list_hook_requests(Connection& connection, const WorkflowId& workflow,
                                                  std::string_view trigger, std::size_t limit) {
  auto statement = connection.use(sql::list_hook_requests);
  statement.bind(1, workflow).bind(2, trigger).bind(3, static_cast<std::uint64_t>(limit));
  std::vector<HookRequestRecord> out;
  while (statement.step()) {
    out.push_back({statement.unsigned_integer(0), statement.id<WorkflowId>(1), statement.text(2),
                   statement.time(3), statement.text(4)});
  }
  return out;
}

std::vector<ScheduleState> list_schedule_states(Connection& connection) {
  auto statement = connection.use(sql::list_schedule_states);
  std::vector<ScheduleState> out;
  while (statement.step()) {
    out.push_back({statement.id<WorkflowId>(0), statement.text(1), statement.integer(2) != 0,
                   statement.text(3), statement.text(4), statement.time(5),
                   statement.optional_id<ExecutionId>(6)});
  }
  return out;
}

}  // namespace reads

}  // namespace fp::store

#include "runtime/journal.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "runtime/execution_sample.hpp"

#include <fmt/format.h>

namespace fp::runtime {

using engine::ExecutionState;

namespace {

std::size_t count_tasks(const ExecutionState& state) {
  std::size_t tasks = state.steps.size();
  for (const auto& step : state.steps) {
    if (step.fan) tasks += step.fan->tasks.size();
  }
  return tasks;
}

[[noreturn]] void corrupt(const ExecutionId& id, const std::string& reason) {
  throw Unavailable(Error(codes::storage_corrupt,
                          fmt::format("the journal of execution {} is damaged: {}", to_string(id), reason)));
}

}  // namespace

ports::ExecutionSummary summarize(const ExecutionState& state) {
  ports::ExecutionSummary out;
  out.id = state.id;
  out.workflow_name = state.workflow->name;
  out.version_hash = state.workflow->hash;
  out.status = to_string(engine::shown_status(state));
  out.trigger = state.trigger;
  out.started_at = state.started_at;
  out.completed_at = state.ended_at;
  out.round = state.round;
  if (state.error) {
    out.error_code = state.error->code;
    out.error_message = state.error->message;
  }
  if (state.parent) out.parent = state.parent->execution;
  out.retry_of = state.retry_of;
  out.workflow = state.workflow_id;
  out.workflow_version = state.workflow_version;
  const auto days = state.workflow->settings.retention_days;
  if (state.ended_at && days) out.keep_until = *state.ended_at + std::chrono::days(*days);
  if (state.labels) out.labels = *state.labels;
  return out;
}

namespace {

std::string task_key(model::TaskRef task) {
  return task.item == model::kNoItem ? fmt::format("{}", task.step)
                                     : fmt::format("{}/{}", task.step, task.item);
}

/// Who waits for an event now and did not before, and the other way round.
void record_event_waits(const ExecutionState& state, std::set<model::TaskRef>& stored,
                        ports::ExecutionWrite& write) {
  for (const auto ref : stored) {
    if (!state.event_waits.contains(ref)) write.waits_ended.push_back(task_key(ref));
  }
  for (const auto ref : state.event_waits) {
    if (stored.contains(ref)) continue;
    const auto& task = state.task(ref);
    const auto since = parse_rfc3339(json_string(*task.wait_data, "since"));
    write.waits_begun.push_back({state.id, task_key(ref), task.wait_name, json_string(*task.wait_data, "key"),
                                 since ? *since : state.started_at,
                                 static_cast<std::uint32_t>(state.taken_events.size())});
  }
  stored = state.event_waits;
}

}  // namespace

ports::ExecutionWrite Journal::record(const ExecutionState& state, std::span<const engine::Event> events,
                                      TimePoint at, JournalPosition& position) {
  ports::ExecutionWrite write;
  write.id = state.id;
  const engine::BlobWriter spill = [&](const std::string& text) -> Json {
    auto ref = store_.put_blob(text);
    Json out = JsonObject{{"hash", ref.hash}, {"size", ref.size}};
    write.blobs.push_back(std::move(ref));
    return out;
  };
  ports::JournalRow row;
  row.first_seq = state.last_seq - events.size() + 1;
  row.count = static_cast<std::uint32_t>(events.size());
  row.at = at;
  row.events = engine::encode_events(events, *state.workflow, spill);
  row.chain = position.chain = chain_hash(position.chain, row.events);
  write.row = std::move(row);
  const auto status = to_string(engine::shown_status(state));
  if (status != position.status) {
    write.summary = summarize(state);
    position.status = status;
    if (model::is_terminal(state.status)) write.sample = make_sample(state);
  }
  const auto wake = engine::next_wake(state);
  if (wake != position.wake) {
    write.wake_changed = true;
    write.wake_before = position.wake;
    write.wake_after = position.wake = wake;
  }
  if (state.event_waits != position.event_waits) record_event_waits(state, position.event_waits, write);
  const auto grown = state.last_seq - position.snapshot_seq;
  if (grown >= snapshot_events_ && grown >= count_tasks(state) && !model::is_terminal(state.status)) {
    write.snapshot = ports::Snapshot{state.last_seq, engine::encode_state(state, spill), position.chain};
    position.snapshot_seq = state.last_seq;
  }
  return write;
}

std::shared_ptr<const model::Workflow> Journal::workflow_of(const ExecutionId& id,
                                                            const ports::LoadedExecution& loaded) {
  auto workflow = catalog_.load(loaded.summary.version_hash);
  if (!workflow) corrupt(id, workflow.error().message);
  return *workflow;
}

Json Journal::read_blob(const ExecutionId& id, const Json& reference) {
  auto bytes = store_.load_blob(
      {json_string(reference, "hash"), static_cast<std::uint64_t>(json_int(reference, "size").value_or(0))});
  if (!bytes) corrupt(id, bytes.error().message);
  return parse_trusted_json(*bytes);
}

/// Decodes the rows after event `last_seq`, checking numbering and hash chain.
void Journal::read_rows(const ports::LoadedExecution& loaded, const model::Workflow& workflow,
                        std::uint64_t last_seq, Hash128& chain, const EachRow& each) {
  const auto& id = loaded.summary.id;
  const engine::BlobReader blobs = [&](const Json& reference) { return read_blob(id, reference); };
  for (const auto& row : loaded.rows) {
    if (row.first_seq != last_seq + 1) corrupt(id, fmt::format("event {} is missing", last_seq + 1));
    chain = chain_hash(chain, row.events);
    if (chain != row.chain)
      corrupt(id, fmt::format("the hash of the row with event {} does not match", row.first_seq));
    auto events = engine::decode_events(row.events, workflow, blobs);
    if (events.size() != row.count)
      corrupt(id, fmt::format("the row with event {} has lost events", row.first_seq));
    last_seq += events.size();
    each(row, std::move(events));
  }
}

std::optional<LoadedState> Journal::load(const ExecutionId& id, bool whole) {
  auto loaded = store_.load_execution(id, whole);
  if (!loaded) return std::nullopt;
  const auto workflow = workflow_of(id, *loaded);
  LoadedState out{engine::make_state(id, workflow), {}};
  if (loaded->snapshot) {
    out.state = engine::decode_state(loaded->snapshot->state, workflow,
                                     [&](const Json& reference) { return read_blob(id, reference); });
    out.position.chain = loaded->snapshot->chain;
    out.position.snapshot_seq = loaded->snapshot->seq;
    if (out.state.last_seq != loaded->snapshot->seq) corrupt(id, "its snapshot is of another moment");
  }
  read_rows(*loaded, *workflow, out.state.last_seq, out.position.chain,
            [&](const ports::JournalRow& row, const std::vector<engine::Event>& events) {
              for (const auto& event : events) engine::apply(out.state, event, row.at);
            });
  out.state.touched.clear();
  out.position.log_batches = loaded->log_batches;
  out.position.wake = loaded->wake;
  out.position.status = loaded->summary.status;
  out.position.event_waits = out.state.event_waits;
  return out;
}

std::optional<History> Journal::history(const ExecutionId& id) {
  const auto loaded = store_.load_execution(id, true);
  if (!loaded) return std::nullopt;
  History out{workflow_of(id, *loaded), {}, loaded->log_batches};
  Hash128 chain{};
  read_rows(*loaded, *out.workflow, 0, chain,
            [&](const ports::JournalRow& row, std::vector<engine::Event> events) {
              for (auto& event : events)
                out.events.push_back({out.events.size() + 1, row.at, std::move(event)});
            });
  return out;
}

std::optional<HistoryPage> Journal::page(const ExecutionId& id, std::uint64_t after, std::size_t limit) {
  auto stored = store_.load_journal(id, after, limit);
  if (!stored) return std::nullopt;
  ports::LoadedExecution loaded;
  loaded.summary = std::move(stored->summary);
  loaded.rows = std::move(stored->rows);
  HistoryPage out{workflow_of(id, loaded), {}, stored->events};
  Hash128 chain{};
  std::uint64_t last_seq = 0;
  if (!loaded.rows.empty() && loaded.rows.front().first_seq > 1) {
    const auto& before = loaded.rows.front();
    chain = before.chain;
    last_seq = before.first_seq + before.count - 1;
    loaded.rows.erase(loaded.rows.begin());
  }
  read_rows(loaded, *out.workflow, last_seq, chain,
            [&](const ports::JournalRow& row, std::vector<engine::Event> events) {
              auto seq = row.first_seq;
              for (auto& event : events) {
                if (seq > after && out.events.size() < limit)
                  out.events.push_back({seq, row.at, std::move(event)});
                ++seq;
              }
            });
  return out;
}

}  // namespace fp::runtime

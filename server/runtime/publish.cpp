#include "runtime/publish.hpp"

#include <fmt/format.h>

namespace fp::runtime {

using engine::ExecutionState;
using model::ExecutionStatus;
namespace ev = model::event;

namespace {

constexpr std::size_t kMostOutputBytes = 64u << 10;  // in the data of an event; larger ones are fetched

Json id_or_null(const std::optional<WorkflowId>& id) {
  return id ? Json(to_string(*id)) : Json(nullptr);
}

ports::PublishedEvent make(const ExecutionState& state, const EventId& id, std::string name, JsonObject data,
                           model::StepIndex step, TimePoint at) {
  ports::PublishedEvent out;
  out.id = id;
  out.name = std::move(name);
  out.data = to_text(Json(std::move(data)));
  JsonObject source{{"type", step == model::kNoStep ? "execution" : "step"},
                    {"execution_id", to_string(state.id)},
                    {"workflow_id", id_or_null(state.workflow_id)},
                    {"workflow", state.workflow->name}};
  if (step != model::kNoStep) source["step"] = state.workflow->steps[step].id;
  out.source = to_text(Json(std::move(source)));
  out.root = state.cause.value_or(id);
  out.depth = state.depth + 1;
  out.at = at;
  return out;
}

JsonObject describe(const ExecutionState& state) {
  return {{"execution", JsonObject{{"id", to_string(state.id)},
                                   {"started_at", to_rfc3339(state.started_at)},
                                   {"trigger", state.trigger},
                                   {"labels", state.labels ? *state.labels : Json(JsonObject())}}},
          {"workflow", JsonObject{{"id", id_or_null(state.workflow_id)},
                                  {"name", state.workflow->name},
                                  {"version", state.workflow_version}}}};
}

Json step_or_null(const ExecutionState& state, model::StepIndex step) {
  return step == model::kNoStep ? Json(nullptr) : Json(state.workflow->steps[step].id);
}

ports::PublishedEvent make_ended(const ExecutionState& state, const ev::ExecutionEnded& ended, TimePoint at) {
  const auto name = fmt::format("execution.{}", to_string(ended.status));
  auto data = describe(state);
  if (ended.error) data["error"] = to_json(*ended.error);
  if (ended.status == ExecutionStatus::failed) data["step"] = step_or_null(state, state.failed_step);
  if (ended.status == ExecutionStatus::completed) {
    const bool is_small = ended.output && to_text(*ended.output).size() <= kMostOutputBytes;
    data["output"] = is_small ? *ended.output : Json(nullptr);
  }
  const auto id = derive_uuid<EventId>(fmt::format("{}/{}/ended", to_string(state.id), state.round));
  return make(state, id, name, std::move(data), model::kNoStep, at);
}

}  // namespace

ports::PublishedEvent make_event(const ExecutionState& state, const engine::command::Publish& published,
                                 TimePoint at) {
  auto out = make(state, published.id, published.name, {}, published.task.step, at);
  out.data = to_text(*published.data);
  out.key = published.key;
  return out;
}

void add_announced(const Announced& announced, const ExecutionState& state,
                   std::span<const engine::Event> events, TimePoint at,
                   std::vector<ports::PublishedEvent>& out) {
  const auto is_wanted = [&](ExecutionStatus status) {
    if (status == ExecutionStatus::completed) return announced.execution_completed.load();
    return status == ExecutionStatus::failed ? announced.execution_failed.load()
                                             : announced.execution_cancelled.load();
  };
  const auto add_failed = [&](model::TaskRef task, const model::ErrorPtr& error) {
    auto data = describe(state);
    data["step"] = step_or_null(state, task.step);
    data["error"] = error ? to_json(*error) : Json(nullptr);
    const auto id =
        derive_uuid<EventId>(fmt::format("{}/{}/failed", engine::idempotency_key(state, task), state.round));
    out.push_back(make(state, id, "step.failed", std::move(data), task.step, at));
  };
  for (const auto& event : events) {
    if (const auto* ended = std::get_if<ev::ExecutionEnded>(&event)) {
      if (is_wanted(ended->status)) out.push_back(make_ended(state, *ended, at));
    } else if (const auto* failed = std::get_if<ev::TaskFailed>(&event)) {
      if (announced.step_failed.load()) add_failed(failed->task, failed->error);
    }
  }
}

}  // namespace fp::runtime

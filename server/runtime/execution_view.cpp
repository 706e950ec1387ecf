#include "runtime/execution_view.hpp"

namespace fp::runtime {

namespace {

Json time_or_null(const std::optional<TimePoint>& time) {
  return time ? Json(to_rfc3339(*time)) : Json(nullptr);
}
Json value_or_null(const Value& value) {
  return value ? *value : Json(nullptr);
}

void add_error(JsonObject& out, const model::ErrorPtr& error) {
  out["error_message"] = error ? Json(error->message) : Json(nullptr);
  out["error"] = error ? to_json(*error) : Json(nullptr);
}

}  // namespace

Json to_resource(const engine::ExecutionState& state, model::TaskRef ref) {
  const auto& step = state.workflow->steps[ref.step];
  const auto& task = state.task(ref);
  // A step that never got its turn shows as skipped once the execution has ended.
  const bool never = model::is_terminal(state.status) && task.status == model::TaskStatus::pending;
  JsonObject out{{"id", to_string(derive_uuid<ExecutionId>(engine::idempotency_key(state, ref)))},
                 {"workflow_execution", to_string(state.id)},
                 {"step", step.id},
                 {"index", ref.item == model::kNoItem ? Json(nullptr) : Json(ref.item)},
                 {"step_type", step.type->type},
                 {"status", to_string(never ? model::TaskStatus::skipped : task.status)},
                 {"started_at", time_or_null(task.first_attempt_at)},
                 {"completed_at", time_or_null(task.ended_at)},
                 {"result", value_or_null(task.output)},
                 {"retry_count", task.failures},
                 {"worker", nullptr},
                 {"next_attempt_at",
                  task.status == model::TaskStatus::retrying ? time_or_null(task.due) : Json(nullptr)}};
  add_error(out, task.error);
  return out;
}

Json to_resource(const engine::ExecutionState& state) {
  JsonObject out{{"id", to_string(state.id)},
                 {"workflow", nullptr},
                 {"workflow_name", state.workflow->name},
                 {"workflow_version", state.workflow->hash},
                 {"status", to_string(engine::shown_status(state))},
                 {"trigger", state.trigger},
                 {"input", value_or_null(state.input)},
                 {"output", value_or_null(state.output)},
                 {"started_at", to_rfc3339(state.started_at)},
                 {"completed_at", time_or_null(state.ended_at)},
                 {"retry_of", state.retry_of ? Json(to_string(*state.retry_of)) : Json(nullptr)},
                 {"parent", state.parent ? Json(to_string(state.parent->execution)) : Json(nullptr)},
                 {"labels", value_or_null(state.labels)}};
  add_error(out, state.error);
  JsonArray tasks;
  for (model::StepIndex i = 0; i < state.steps.size(); ++i) {
    const auto& fan = state.steps[i].fan;
    tasks.push_back(to_resource(state, {i, model::kNoItem}));
    for (std::uint32_t item = 0; fan && item < fan->tasks.size(); ++item)
      tasks.push_back(to_resource(state, {i, item}));
  }
  out["tasks"] = std::move(tasks);
  return out;
}

}  // namespace fp::runtime

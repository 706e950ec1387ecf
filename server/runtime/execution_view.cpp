#include "runtime/execution_view.hpp"

#include <algorithm>

namespace fp::runtime {

namespace {

Json time_or_null(const std::optional<TimePoint>& time) {
  return time ? Json(to_rfc3339(*time)) : Json(nullptr);
}

void add_error(JsonObject& out, const model::ErrorPtr& error) {
  out["error_message"] = error ? Json(error->message) : Json(nullptr);
  out["error"] = error ? to_problem(*error) : Json(nullptr);
}

Json shorten(const Value& value, std::size_t most_bytes) {
  return value ? runtime::shorten(*value, most_bytes) : Json(nullptr);
}

}  // namespace

Json shorten(const Json& value, std::size_t most_bytes) {
  constexpr std::size_t kPreviewBytes = 1000;
  // The weight is never much below the length of the text, and far cheaper.
  most_bytes = std::max(most_bytes, kPreviewBytes);
  if (most_bytes == kAllBytes || json_weight(value) <= most_bytes) return value;
  const auto text = to_text(value);
  if (text.size() <= most_bytes) return value;
  auto end = kPreviewBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // no half code point
  return JsonObject{
      {"truncated", true}, {"bytes", text.size()}, {"preview", std::string_view(text).substr(0, end)}};
}

std::string task_id(const engine::ExecutionState& state, model::TaskRef task) {
  return to_string(derive_uuid<ExecutionId>(engine::idempotency_key(state, task)));
}

Json to_status(const engine::ExecutionState& state) {
  JsonObject out{{"status", to_string(engine::shown_status(state))},
                 {"output", shorten(state.output, kShownBytes)},
                 {"completed_at", time_or_null(state.ended_at)}};
  add_error(out, state.error);
  return out;
}

Json to_resource(const engine::ExecutionState& state, model::TaskRef ref, std::size_t most_bytes) {
  const auto& step = state.workflow->steps[ref.step];
  const auto& task = state.task(ref);
  // A step that never got its turn shows as skipped once the execution has ended.
  const bool never = model::is_terminal(state.status) && task.status == model::TaskStatus::pending;
  JsonObject out{{"id", task_id(state, ref)},
                 {"workflow_execution", to_string(state.id)},
                 {"step", step.id},
                 {"index", ref.item == model::kNoItem ? Json(nullptr) : Json(ref.item)},
                 {"step_type", step.type->type},
                 {"status", to_string(never ? model::TaskStatus::skipped : task.status)},
                 {"started_at", time_or_null(task.first_attempt_at)},
                 {"completed_at", time_or_null(task.ended_at)},
                 {"result", shorten(task.output, most_bytes)},
                 {"retry_count", task.failures},
                 {"worker", nullptr},
                 {"next_attempt_at",
                  task.status == model::TaskStatus::retrying ? time_or_null(task.due) : Json(nullptr)}};
  add_error(out, task.error);
  return out;
}

Json to_resource(const engine::ExecutionState& state, std::size_t most_bytes) {
  JsonObject out{
      {"id", to_string(state.id)},
      {"workflow", state.workflow_id ? Json(to_string(*state.workflow_id)) : Json(nullptr)},
      {"workflow_name", state.workflow->name},
      {"workflow_version", state.workflow_version == 0 ? Json(nullptr) : Json(state.workflow_version)},
      {"workflow_hash", state.workflow->hash},
      {"status", to_string(engine::shown_status(state))},
      {"trigger", state.trigger},
      {"input", shorten(state.input, most_bytes)},
      {"output", shorten(state.output, most_bytes)},
      {"started_at", to_rfc3339(state.started_at)},
      {"completed_at", time_or_null(state.ended_at)},
      {"retry_of", state.retry_of ? Json(to_string(*state.retry_of)) : Json(nullptr)},
      {"parent", state.parent ? Json(to_string(state.parent->execution)) : Json(nullptr)},
      {"labels", state.labels ? *state.labels : Json(JsonObject())}};
  add_error(out, state.error);
  JsonArray tasks;
  auto left = most_bytes == kAllBytes ? kAllBytes : kShownTotal;
  const auto add = [&](model::TaskRef ref) {
    const auto& output = state.task(ref).output;
    const auto most = std::min(most_bytes, left);
    tasks.push_back(to_resource(state, ref, most));
    if (left != kAllBytes && output) left -= std::min({left, most, json_weight(*output)});
  };
  for (model::StepIndex i = 0; i < state.steps.size(); ++i) {
    const auto& fan = state.steps[i].fan;
    add({i, model::kNoItem});
    for (std::uint32_t item = 0; fan && item < fan->tasks.size(); ++item) add({i, item});
  }
  out["tasks"] = std::move(tasks);
  return out;
}

}  // namespace fp::runtime

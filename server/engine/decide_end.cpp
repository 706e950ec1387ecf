#include "base/error_code.hpp"
#include "engine/decider.hpp"
#include "engine/retry.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::engine {

using namespace model;
namespace ev = model::event;

void Decider::complete_task(TaskRef ref, std::uint32_t attempt, Value output, std::string port,
                            bool plain_taken, std::optional<TimePoint> started_at) {
  emit(ev::TaskCompleted{ref, attempt, std::move(output), std::move(port), plain_taken, started_at});
  after_task(ref);
}

void Decider::fail_task(TaskRef ref, std::uint32_t attempt, Error error,
                        std::optional<TimePoint> started_at) {
  const auto& definition = step(ref);
  const auto& task = s_.task(ref);
  const bool may_retry =
      task.status != TaskStatus::waiting && (!s_.is_stopping() || survives_stop(definition));
  const auto retry_at =
      may_retry ? next_attempt_at(definition.retry, task, error, draw(s_.seed, ref, task.failures + 1), now_)
                : std::nullopt;
  if (retry_at) return emit(ev::AttemptFailed{ref, attempt, make_error(std::move(error)), *retry_at});
  emit(ev::TaskFailed{ref, attempt, make_error(std::move(error)), started_at});
  after_task(ref);
}

void Decider::after_task(TaskRef ref) {
  if (ref.item != kNoItem) {
    s_.touched.push_back(ref.step);
    return;
  }
  const auto& definition = step(ref);
  const auto& task = s_.task(ref);
  if (task.status != TaskStatus::failed || definition.is_compensation) return;
  if (definition.on_error == OnError::fail && !definition.has_error_edge)
    begin_failing(*task.error, ref.step);
}

void Decider::begin_failing(Error error, StepIndex step) {
  if (s_.is_stopping()) return;
  emit(ev::ExecutionFailing{make_error(std::move(error)), step});
  stop_pending();
}

void Decider::finish() {
  if (is_terminal(s_.status) || s_.open_steps > 0 || s_.output_asked) return;
  if (!s_.is_stopping()) return finish_completed({});
  if (s_.paused) return;
  const bool undoes = s_.failure && !s_.forced && (s_.compensating || !s_.cancelling);
  if (undoes && compensate_next()) return;
  if (s_.cancelling) {
    end(ExecutionStatus::cancelled, nullptr,
        make_error(Error(codes::execution_cancelled,
                         s_.cancel_reason.empty() ? "the execution was cancelled"
                                                  : "the execution was cancelled: " + s_.cancel_reason)));
  } else {
    end(ExecutionStatus::failed, nullptr, s_.failure);
  }
}

/// Undoes completed steps one after another, the newest first. True while one is under way.
bool Decider::compensate_next() {
  while (s_.compensated < s_.to_compensate.size()) {
    const auto done = s_.to_compensate[s_.to_compensate.size() - 1 - s_.compensated];
    const auto undo = s_.workflow->steps[done].compensate;
    const auto& task = s_.steps[undo].task;
    if (task.is_active() || task.asked) return true;
    if (!s_.compensating) emit(ev::CompensationStarted{});
    const auto before = s_.compensated;
    start_step(undo, {});
    if (s_.compensated == before) return true;
  }
  return false;
}

void Decider::finish_completed(Answers answers) {
  const bool is_partial =
      std::ranges::any_of(s_.steps, &StepState::left_out);  // what it reads may be missing
  if (!s_.workflow->output || is_partial) return end(ExecutionStatus::completed, null_value(), nullptr);
  const auto& part = *s_.workflow->output;
  if (!part.javascript().empty() && answers.empty()) return ask(TaskRef{}, part.javascript(), nullptr, {});
  const auto rendered =
      part.render(TaskScope(s_, TaskRef{}), answers.empty() ? std::span<const Result<Json>>()
                                                            : std::span<const Result<Json>>(answers.front()));
  if (rendered) return end(ExecutionStatus::completed, make_value(*rendered), nullptr);
  Error error = rendered.error();
  error.message = "the workflow's output: " + error.message;
  begin_failing(std::move(error), kNoStep);
  finish();
}

void Decider::end(ExecutionStatus status, Value output, ErrorPtr error) {
  emit(ev::ExecutionEnded{status, std::move(output), error});
  if (s_.parent) out_.commands.push_back(command::NotifyParent{*s_.parent});
  const auto& handler = s_.workflow->settings.on_failure;
  if (status != ExecutionStatus::failed || handler.empty()) return;
  const auto id = derive_uuid<ExecutionId>(fmt::format("{}/{}/on_failure", to_string(s_.id), s_.round));
  const Json failed_step =
      s_.failed_step == kNoStep ? Json(nullptr) : Json(s_.workflow->steps[s_.failed_step].id);
  out_.commands.push_back(
      command::StartFailureWorkflow{id, handler,
                                    make_value(JsonObject{{"execution", *s_.execution_info},
                                                          {"workflow", *s_.workflow_info},
                                                          {"step", failed_step},
                                                          {"error", to_json(*error)}})});
}

Decision advance(ExecutionState& state, const Input& input, TimePoint now) {
  return Decider(state, now).run(input);
}

Decision decide(const ExecutionState& state, const Input& input, TimePoint now) {
  ExecutionState copy = state;
  return advance(copy, input, now);
}

std::optional<TimePoint> next_wake(const ExecutionState& state) {
  if (state.paused || is_terminal(state.status)) return std::nullopt;
  for (const auto& [at, ref] : state.timers) {
    if (ref.step == kNoStep || !state.task(ref).asked) return at;
  }
  return std::nullopt;
}

bool is_idle(const ExecutionState& state) {
  if (state.output_asked || !state.touched.empty()) return false;
  return std::all_of(state.steps.begin(), state.steps.end(), [](const StepState& step) {
    if (step.task.status == TaskStatus::running || step.task.asked) return false;
    if (!step.fan || (step.fan->active == 0 && step.fan->asked == 0)) return true;
    return std::none_of(step.fan->tasks.begin(), step.fan->tasks.end(), [](const TaskState& task) {
      return task.status == TaskStatus::running || task.asked;
    });
  });
}

ExecutionStatus shown_status(const ExecutionState& state) {
  if (state.status != ExecutionStatus::running) return state.status;
  if (state.paused) return ExecutionStatus::paused;
  return is_idle(state) ? ExecutionStatus::waiting : ExecutionStatus::running;
}

std::string idempotency_key(const ExecutionState& state, TaskRef task) {
  const auto& id = state.workflow->steps[task.step].id;
  return task.item == kNoItem ? fmt::format("{}-{}", to_string(state.id), id)
                              : fmt::format("{}-{}-{}", to_string(state.id), id, task.item);
}

}  // namespace fp::engine

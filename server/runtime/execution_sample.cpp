#include "runtime/execution_sample.hpp"

#include <algorithm>

namespace fp::runtime {

namespace {

Milliseconds span(TimePoint from, TimePoint to) {
  return std::max(Milliseconds(0), to - from);
}

void add_task(const model::TaskState& task, ports::ExecutionSample::Step& out) {
  out.retries +=
      task.failures > 0 && task.status == model::TaskStatus::failed ? task.failures - 1 : task.failures;
  if (!task.first_attempt_at) return;
  out.queue_wait = std::max(out.queue_wait, span(task.ready_at, *task.first_attempt_at));
  if (task.ended_at) out.duration = std::max(out.duration, span(*task.first_attempt_at, *task.ended_at));
}

}  // namespace

ports::ExecutionSample make_sample(const engine::ExecutionState& state) {
  ports::ExecutionSample out;
  out.workflow = state.workflow_id ? to_string(*state.workflow_id) : state.workflow->name;
  out.status = to_string(state.status);
  out.ended_at = state.ended_at.value_or(state.started_at);
  out.duration = span(state.started_at, out.ended_at);
  for (const auto& step : state.workflow->steps) {
    const auto& recorded = state.steps[step.index];
    const auto& task = recorded.task;
    if (!model::is_terminal(task.status) || task.status == model::TaskStatus::skipped) continue;
    ports::ExecutionSample::Step sample;
    sample.step = step.id;
    sample.status = to_string(task.status);
    if (recorded.fan) {
      sample.tasks = static_cast<std::uint32_t>(recorded.fan->tasks.size());
      for (const auto& item : recorded.fan->tasks) add_task(item, sample);
      if (task.ended_at) sample.duration = span(task.ready_at, *task.ended_at);
    } else {
      add_task(task, sample);
    }
    out.steps.push_back(std::move(sample));
  }
  return out;
}

}  // namespace fp::runtime

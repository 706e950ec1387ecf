#include "base/error_code.hpp"
#include "base/mutant.hpp"
#include "engine/decider.hpp"
#include "engine/retry.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::engine {

using namespace model;
namespace ev = model::event;

namespace {
/// Processes an execution may bring down before it is quarantined.
constexpr std::uint32_t kMostDeaths = 3;
/// Workers that may vanish with one task before it fails for good.
constexpr std::uint32_t kMostLosses = 10;
constexpr std::size_t kMostBufferedSignals = 1000;

Error timeout_error(const TaskState& task) {
  if (task.wait == WaitKind::approval) return {codes::approval_timeout, "nobody decided in time"};
  if (task.wait == WaitKind::event)
    return {codes::event_timeout, fmt::format("no event \"{}\" came in time", task.wait_name)};
  return {codes::signal_timeout, fmt::format("no signal \"{}\" came in time", task.wait_name)};
}

bool has_edge(const Workflow& workflow, const Step& step, std::string_view when) {
  return std::any_of(step.outgoing.begin(), step.outgoing.end(),
                     [&](std::uint32_t edge) { return workflow.edges[edge].when == when; });
}
}  // namespace

template <class F>
void Decider::for_each_active(F visit) {
  for (StepIndex i = 0; i < s_.steps.size(); ++i) {
    if (s_.steps[i].task.is_active()) visit(TaskRef{i, kNoItem});
    if (!s_.steps[i].fan || s_.steps[i].fan->active == 0) continue;
    for (std::uint32_t k = 0; k < s_.steps[i].fan->tasks.size(); ++k) {
      if (s_.steps[i].fan->tasks[k].is_active()) visit(TaskRef{i, k});
    }
  }
}

void Decider::operator()(const input::Start& in) {
  if (s_.status != ExecutionStatus::pending)
    return refuse(codes::execution_started, "this execution has already started");
  emit(in.started);
}

void Decider::operator()(const input::AttemptEnded& in) {
  const bool expected = s_.has_task(in.task) && s_.task(in.task).status == TaskStatus::running &&
                        (s_.task(in.task).attempt == in.attempt || FP_MUTANT("late results applied"));
  if (!expected) {
    if (s_.has_task(in.task)) emit(ev::LateResult{in.task, in.attempt, in.outcome.has_value()});
    return;
  }
  if (in.outcome) {
    complete_task(in.task, in.attempt, *in.outcome,
                  step(in.task).ports.empty() ? "" : step(in.task).ports.front(), true, in.started_at);
  } else {
    fail_task(in.task, in.attempt, in.outcome.error(), in.started_at);
  }
}

void Decider::operator()(const input::AttemptLost& in) {
  const bool expected = s_.has_task(in.task) && s_.task(in.task).status == TaskStatus::running &&
                        s_.task(in.task).attempt == in.attempt;
  if (!expected) return;
  if (s_.task(in.task).losses + 1 >= kMostLosses) {
    return fail_task(
        in.task, in.attempt,
        Error(codes::task_lost,
              fmt::format("{} workers in a row vanished while carrying this task out", kMostLosses)),
        {});
  }
  emit(ev::AttemptLost{in.task, in.attempt, in.reason});
  s_.touched.push_back(in.task.step);
}

void Decider::operator()(const input::TimeReached&) {
  if (s_.paused) return;
  std::vector<TaskRef> due;
  for (const auto& [at, ref] : s_.timers) {
    if (at > now_) break;
    due.push_back(ref);
  }
  for (const auto ref : due) fire(ref);
}

void Decider::fire(TaskRef ref) {
  if (is_terminal(s_.status)) return;
  if (ref.step == kNoStep) {
    begin_failing(
        Error(codes::execution_timeout, fmt::format("the execution took longer than {}",
                                                    to_display_text(*s_.workflow->settings.timeout))),
        kNoStep);
    return cancel_active(false);
  }
  const auto& task = s_.task(ref);
  if (!task.due || *task.due > now_ || task.asked)
    return;  // an earlier timer of this decision has dealt with it
  if (task.status == TaskStatus::retrying)
    return ref.item == kNoItem && step(ref).for_each ? start_step(ref.step, {}) : start_task(ref, {});
  if (task.status != TaskStatus::waiting) return;
  if (task.wait == WaitKind::delay) {
    const double waited = double((now_ - task.ready_at).count()) / 1000.0;
    return complete_task(ref, 0, make_value(JsonObject{{"waited", waited}}), "", true, {});
  }
  if (has_edge(*s_.workflow, step(ref), "timeout"))
    return complete_task(ref, 0, null_value(), "timeout", false, {});
  fail_task(ref, 0, timeout_error(task), {});
}

void Decider::operator()(const input::Signal& in) {
  if (is_terminal(s_.status))
    return refuse(codes::execution_ended, "this execution has ended and takes no more signals");
  std::optional<TaskRef> waiting;
  for_each_active([&](TaskRef ref) {
    const auto& task = s_.task(ref);
    if (!waiting && task.wait == WaitKind::signal && task.status == TaskStatus::waiting &&
        task.wait_name == in.name)
      waiting = ref;
  });
  if (waiting) return complete_task(*waiting, 0, in.payload, "", true, {});
  if (s_.signals[in.name].size() >= kMostBufferedSignals) {
    return refuse(codes::signal_overflow,
                  fmt::format("{} signals \"{}\" wait already and nobody has taken them",
                              kMostBufferedSignals, in.name));
  }
  emit(ev::SignalBuffered{in.name, in.payload});
}

/// Ends every wait it fits, once: it may come twice, found by those who hand out events and by a look back.
void Decider::operator()(const input::EventArrived& in) {
  if (is_terminal(s_.status) || s_.taken_events.contains(in.number)) return;
  std::vector<TaskRef> fitting;
  for (const auto ref : s_.event_waits) {
    const auto& task = s_.task(ref);
    const auto key = json_string(*task.wait_data, "key");
    if (task.wait_name == in.name && (key.empty() || key == in.key)) fitting.push_back(ref);
  }
  if (fitting.empty()) return;
  emit(ev::EventTaken{in.number});
  for (const auto ref : fitting) complete_task(ref, 0, in.event, "", true, {});
}

void Decider::operator()(const input::ApprovalDecided& in) {
  if (is_terminal(s_.status)) return refuse(codes::execution_ended, "this execution has ended");
  const bool waits = s_.has_task(in.task) && s_.task(in.task).status == TaskStatus::waiting &&
                     s_.task(in.task).wait == WaitKind::approval;
  if (!waits)
    return refuse(codes::approval_not_waiting,
                  "this step does not wait for an approval; perhaps somebody has decided already");
  if (!in.approved && !has_edge(*s_.workflow, step(in.task), "rejected")) {
    Error error(codes::approval_rejected, "the approval was rejected");
    error.details = *in.output;
    return fail_task(in.task, 0, std::move(error), {});
  }
  complete_task(in.task, 0, in.output, in.approved ? "approved" : "rejected", in.approved, {});
}

void Decider::operator()(const input::ChildEnded& in) {
  const bool waits = s_.has_task(in.task) && s_.task(in.task).status == TaskStatus::waiting &&
                     s_.task(in.task).child == in.child;
  if (!waits || in.round != s_.round || is_terminal(s_.status)) return;
  if (in.status == ExecutionStatus::completed)
    return complete_task(in.task, 0, in.output ? in.output : null_value(), "", true, {});
  Error error(in.status == ExecutionStatus::cancelled ? codes::child_cancelled : codes::child_failed,
              in.error ? fmt::format("the child execution failed: {}", in.error->message)
                       : "the child execution was cancelled");
  error.details = JsonObject{{"execution_id", to_string(in.child)},
                             {"error", in.error ? to_json(*in.error) : Json(nullptr)}};
  fail_task(in.task, 0, std::move(error), {});
}

void Decider::operator()(const input::Evaluated& in) {
  if (is_terminal(s_.status) || in.round != s_.round) return;
  if (in.task.step == kNoStep) {
    if (std::exchange(s_.output_asked, false) && s_.open_steps == 0) finish_completed(in.answers);
    return;
  }
  if (!s_.has_task(in.task) || !s_.task(in.task).asked || s_.task(in.task).attempt != in.attempt) return;
  s_.task(in.task).asked = false;
  if (in.task.item != kNoItem) --s_.steps[in.task.step].fan->asked;
  const auto status = s_.task(in.task).status;
  if (status != TaskStatus::pending && status != TaskStatus::retrying) return;
  const bool is_item = in.task.item != kNoItem;
  if (is_item && is_terminal(s_.steps[in.task.step].task.status))
    return;                                                      // the loop has broken off meanwhile
  const bool begins = is_item && status == TaskStatus::pending;  // one that is tried again has begun
  if (begins ? !item_may_start(step(in.task)) : !may_start(step(in.task))) {
    s_.touched.push_back(in.task.step);
    return;
  }
  if (is_item) {
    start_task(in.task, in.answers);
    fill(in.task.step);
  } else {
    start_step(in.task.step, in.answers);
  }
}

void Decider::operator()(const input::Cancel& in) {
  if (is_terminal(s_.status) && !FP_MUTANT("an end is not final"))
    return refuse(codes::execution_ended, "this execution has ended, so there is nothing to cancel");
  const bool was_paused = s_.paused;
  if (was_paused) emit(ev::ExecutionResumed{});
  const bool force = s_.cancelling;
  if (s_.forced) return;
  emit(ev::CancelRequested{in.reason, force});
  stop_pending();
  if (!FP_MUTANT("cancel forgets what runs")) cancel_active(force);
  if (was_paused) look_again_at_everything();  // `always` steps that became ready meanwhile
}

void Decider::operator()(const input::Pause& in) {
  if (is_terminal(s_.status))
    return refuse(codes::execution_ended, "this execution has ended, so it can not be paused");
  if (!s_.paused) emit(ev::ExecutionPaused{in.reason, nullptr});
}

void Decider::operator()(const input::Resume&) {
  if (is_terminal(s_.status))
    return refuse(codes::execution_ended, "this execution has ended, so it can not be resumed");
  if (!s_.paused) return;
  emit(ev::ExecutionResumed{});
  look_again_at_everything();
  (*this)(input::TimeReached{});
}

void Decider::operator()(const input::RetryFailed&) {
  if (s_.status != ExecutionStatus::failed)
    return refuse(codes::retry_not_possible, "only a failed execution can go on from what failed");
  if (s_.compensating)
    return refuse(codes::retry_not_possible,
                  "its completed steps have been undone by their compensations: start it anew");
  ev::ExecutionReopened reopened;
  for (const auto& step : s_.workflow->steps) {
    if (s_.steps[step.index].left_out) continue;
    const auto& task = s_.steps[step.index].task;
    const bool handled =
        task.status == TaskStatus::failed && (step.on_error == OnError::resume || step.has_error_edge);
    if (!step.is_compensation && task.status != TaskStatus::completed && !handled)
      reopened.steps.push_back(step.index);
  }
  emit(std::move(reopened));
}

void Decider::operator()(const input::Recover& in) {
  if (is_terminal(s_.status) || s_.status == ExecutionStatus::pending) return;
  std::vector<TaskRef> running;
  for_each_active([&](TaskRef ref) {
    const auto& task = s_.task(ref);
    if (task.status == TaskStatus::running) running.push_back(ref);
    if (task.status == TaskStatus::waiting && task.wait == WaitKind::child) {
      out_.commands.push_back(command::StartChild{*task.child, task.wait_name, task.wait_data, ref, true});
    }
  });
  if (in.died && !running.empty()) emit(ev::ProcessDied{});
  if (FP_MUTANT("running attempts forgotten on recovery")) running.clear();
  for (const auto ref : running)
    emit(ev::AttemptLost{ref, s_.task(ref).attempt, in.died ? "process_died" : "worker_lost"});
  if (s_.deaths >= kMostDeaths && !s_.paused) {
    Error error(codes::execution_quarantined,
                fmt::format("{} processes in a row died while carrying this execution out, so it was set "
                            "aside; resume it once the cause is known",
                            s_.deaths));
    emit(ev::ExecutionPaused{"quarantined", make_error(std::move(error))});
  }
  look_again_at_everything();
}

void Decider::operator()(const input::Shutdown&) {
  std::vector<TaskRef> running;
  for_each_active([&](TaskRef ref) {
    if (s_.task(ref).status == TaskStatus::running) running.push_back(ref);
  });
  s_.touched.clear();
  for (const auto ref : running) {
    emit(ev::AttemptLost{ref, s_.task(ref).attempt, "shutdown"});
    s_.touched.push_back(
        ref.step);  // left so: it is the next process that looks at them, so this is not waiting
  }
}

void Decider::cancel_active(bool always_steps_too) {
  std::vector<TaskRef> active;
  for_each_active([&](TaskRef ref) {
    if (always_steps_too || !survives_stop(step(ref))) active.push_back(ref);
  });
  for (const auto ref : active) cancel_task(ref);
}

void Decider::cancel_task(TaskRef ref) {
  const auto& task = s_.task(ref);
  if (task.status == TaskStatus::running) out_.commands.push_back(command::CancelAttempt{ref, task.attempt});
  if (task.status == TaskStatus::waiting && task.child)
    out_.commands.push_back(command::CancelChild{*task.child});
  emit(ev::TaskCancelled{ref});
  after_task(ref);
}

void Decider::stop_pending() {
  for (const auto& step : s_.workflow->steps) {
    if (survives_stop(step) || step.is_compensation) continue;
    const auto& state = s_.steps[step.index];
    if (state.task.status == TaskStatus::pending && !state.fan)
      emit(ev::TaskSkipped{step.index});
    else if (state.task.status == TaskStatus::pending)
      s_.touched.push_back(step.index);
  }
  std::vector<TaskRef> idle;
  for_each_active([&](TaskRef ref) {
    if (!survives_stop(step(ref)) && s_.task(ref).status != TaskStatus::running) idle.push_back(ref);
  });
  for (const auto ref : idle) {
    if (s_.task(ref).status == TaskStatus::retrying) {
      emit(ev::TaskFailed{ref, s_.task(ref).attempt, s_.task(ref).error, {}});
      after_task(ref);
    } else {
      cancel_task(ref);
    }
  }
}

}  // namespace fp::engine

#include "base/assert.hpp"
#include "base/mutant.hpp"
#include "engine/engine.hpp"
#include "engine/machine.hpp"
#include "model/workflow.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::engine {

using namespace model;
namespace ev = model::event;

namespace {

/// Folds one event. A class only because the parts share state and time.
class Fold {
 public:
  Fold(ExecutionState& state, TimePoint at) : s_(state), at_(at) {}

  void operator()(const ev::ExecutionStarted& e) {
    s_.status = ExecutionStatus::running;
    s_.started_at = at_;
    s_.seed = e.seed;
    s_.trigger = e.trigger;
    s_.input = e.input ? e.input : null_value();
    s_.vars = e.vars ? e.vars : make_value(JsonObject());
    s_.labels = e.labels ? e.labels : make_value(JsonObject());
    s_.parent = e.parent;
    s_.retry_of = e.retry_of;
    s_.workflow_id = e.workflow_id;
    s_.workflow_version = e.workflow_version;
    s_.depth = e.depth;
    s_.cause = e.cause;
    s_.execution_info =
        make_value(JsonObject{{"id", to_string(s_.id)},
                              {"started_at", to_rfc3339(at_)},
                              {"trigger", e.trigger},
                              {"labels", *s_.labels},
                              {"retry_of", e.retry_of ? Json(to_string(*e.retry_of)) : Json(nullptr)}});
    s_.workflow_info = make_value(JsonObject{{"name", s_.workflow->name}, {"version", s_.workflow->hash}});
    if (s_.workflow->settings.timeout) s_.timers.emplace(at_ + *s_.workflow->settings.timeout, TaskRef{});
    for (const auto& step : s_.workflow->steps) {
      if (step.is_compensation) continue;
      ++s_.open_steps;
      if (step.incoming.empty()) touch(step.index);
    }
    for (const auto& pinned : e.pins) s_.steps[pinned.step].pin = pinned.output;
    for (const auto& reused : e.reused) {
      auto& task = s_.steps[reused.step].task;
      task.output = reused.output;
      task.port = reused.port;
      task.plain_taken = reused.plain_taken;
      change(task, TaskChange::complete);
      // Whoever ran it undoes it: a retry goes on in the place of what it retries, a partial run does not.
      end_step(reused.step, e.retry_of && !reused.pinned);
    }
    for (const auto index : e.left_out) {
      s_.steps[index].left_out = true;
      change(s_.steps[index].task, TaskChange::skip);
      end_step(index);
    }
  }

  void operator()(const ev::ItemsExpanded& e) {
    auto& task = s_.steps[e.step].task;
    clear_timer({e.step, kNoItem}, task);  // the list may have been found at the second try
    change(task, TaskChange::expand);
    auto& fan = s_.steps[e.step].fan.emplace();
    fan.items = e.items;
    fan.tasks.resize(e.items->get_array().size());
    for (auto& item : fan.tasks) item.ready_at = task.ready_at;
  }

  void operator()(const ev::AttemptScheduled& e) {
    auto& task = s_.task(e.task);
    clear_timer(e.task, task);
    const bool was_active = task.is_active();
    change(task, TaskChange::schedule);
    task.attempt = e.attempt;
    if (!task.first_attempt_at) task.first_attempt_at = at_;
    if (!was_active) activate(e.task);
  }

  void operator()(const ev::AttemptFailed& e) {
    auto& task = s_.task(e.task);
    progress(task);
    ++task.failures;
    task.error = e.error;
    const bool was_active = task.is_active();
    change(task, TaskChange::retry);
    set_timer(e.task, task, e.retry_at);
    if (!was_active) activate(e.task);  // it failed before any worker had it
  }

  void operator()(const ev::AttemptLost& e) {
    auto& task = s_.task(e.task);
    if (e.reason != "shutdown") ++task.losses;  // giving back in order is nobody's fault
    change(task, TaskChange::lose);
    if (!FP_MUTANT("lost item still counted")) deactivate(e.task);
  }

  void operator()(const ev::TaskWaiting& e) {
    auto& task = s_.task(e.task);
    clear_timer(e.task, task);  // of the retry that led here
    const bool was_active = task.is_active();
    change(task, TaskChange::wait);
    task.wait = e.kind;
    task.wait_name = e.name;
    task.wait_data = e.data;
    task.child = e.child;
    if (e.kind == WaitKind::event) s_.event_waits.insert(e.task);
    if (e.due) set_timer(e.task, task, *e.due);
    if (!was_active) activate(e.task);
  }

  void operator()(const ev::TaskCompleted& e) {
    auto& task = s_.task(e.task);
    task.output = e.output;
    task.port = e.port;
    task.plain_taken = e.plain_taken;
    task.error.reset();
    if (e.started_at) task.first_attempt_at = task.first_attempt_at ? task.first_attempt_at : e.started_at;
    progress(task);
    end_task(e.task, task, TaskChange::complete);
  }

  void operator()(const ev::TaskFailed& e) {
    auto& task = s_.task(e.task);
    task.error = e.error;
    const bool waits = task.status == TaskStatus::retrying && task.due && *task.due > at_;
    if (waits && task.losses == 0 && task.failures > 0) --task.failures;  // the retry does not come
    progress(task);
    end_task(e.task, task, TaskChange::fail);
  }

  void operator()(const ev::TaskSkipped& e) {
    change(s_.steps[e.step].task, TaskChange::skip);
    end_step(e.step);
  }

  void operator()(const ev::TaskCancelled& e) { end_task(e.task, s_.task(e.task), TaskChange::cancel); }

  void operator()(const ev::ItemsEnded& e) {
    auto& step = s_.steps[e.step];
    step.task.error = e.error;
    if (e.status == TaskStatus::completed) {
      JsonArray outputs;
      outputs.reserve(step.fan->tasks.size());
      for (const auto& task : step.fan->tasks) outputs.push_back(task.output ? *task.output : Json(nullptr));
      step.task.output = make_value(std::move(outputs));
    }
    change(step.task, e.status == TaskStatus::completed ? TaskChange::complete
                      : e.status == TaskStatus::failed  ? TaskChange::fail
                                                        : TaskChange::cancel);
    end_step(e.step);
  }

  void operator()(const ev::SignalBuffered& e) { s_.signals[e.name].push_back(e.payload); }
  void operator()(const ev::SignalTaken& e) {
    const auto found = s_.signals.find(e.name);
    found->second.pop_front();
    if (found->second.empty()) s_.signals.erase(found);
  }

  void operator()(const ev::EventTaken& e) { s_.taken_events.insert(e.number); }

  void operator()(const ev::ExecutionFailing& e) {
    s_.failure = e.error;
    s_.failed_step = e.step;
    drop_execution_timer();
  }
  void operator()(const ev::CancelRequested& e) {
    s_.cancelling = true;
    s_.forced = e.force;
    s_.cancel_reason = e.reason;
    drop_execution_timer();
  }
  void operator()(const ev::ExecutionPaused& e) {
    s_.paused = true;
    s_.pause_reason = e.reason;
    s_.error = e.error;
  }
  void operator()(const ev::ExecutionResumed&) {
    s_.paused = false;
    s_.pause_reason.clear();
    s_.error.reset();
    s_.deaths = 0;
  }
  void operator()(const ev::ProcessDied&) { ++s_.deaths; }
  void operator()(const ev::CompensationStarted&) {
    s_.compensating = true;
    ready_next_compensation();
  }
  void operator()(const ev::LateResult&) {}

  void operator()(const ev::ExecutionReopened& e) {
    ++s_.round;
    s_.status = ExecutionStatus::running;
    s_.ended_at.reset();
    s_.failure.reset();
    s_.failed_step = kNoStep;
    s_.error.reset();
    s_.cancelling = s_.forced = false;
    if (s_.workflow->settings.timeout) s_.timers.emplace(at_ + *s_.workflow->settings.timeout, TaskRef{});
    for (const auto index : e.steps) reopen(s_.steps[index]);
    for (const auto index : e.steps) recount(index);
    s_.open_steps = static_cast<std::uint32_t>(e.steps.size());
  }

  void operator()(const ev::ExecutionEnded& e) {
    s_.status = e.status;
    s_.output = e.output;
    s_.error = e.error;
    s_.ended_at = at_;
    s_.timers.clear();
  }

 private:
  static void change(TaskState& task, TaskChange on) {
    const auto next = TaskMachine::next(task.status, on);
    FP_ASSERT(next.has_value(), "decide emits only transitions of the task machine");
    task.status = *next;
  }

  /// Something was recorded, so the processes that died before were not killed by this spot.
  void progress(TaskState& task) {
    if (!FP_MUTANT("progress does not clear deaths")) s_.deaths = 0;
    task.losses = 0;
  }

  void touch(StepIndex index) {
    auto& task = s_.steps[index].task;
    task.ready_at = at_;
    s_.touched.push_back(index);
  }

  void set_timer(TaskRef ref, TaskState& task, TimePoint due) {
    clear_timer(ref, task);
    task.due = due;
    s_.timers.emplace(due, ref);
  }
  void clear_timer(TaskRef ref, TaskState& task) {
    if (task.due) s_.timers.erase({*task.due, ref});
    task.due.reset();
  }

  /// An execution that already stops can not run out of time any more.
  void drop_execution_timer() {
    std::erase_if(s_.timers, [](const auto& timer) { return timer.second.step == kNoStep; });
  }

  /// The undoing step that follows: its expressions see this moment.
  void ready_next_compensation() {
    if (s_.compensated >= s_.to_compensate.size()) return;
    const auto done = s_.to_compensate[s_.to_compensate.size() - 1 - s_.compensated];
    s_.steps[s_.workflow->steps[done].compensate].task.ready_at = at_;
  }

  void activate(TaskRef ref) {
    if (ref.item == kNoItem) return;
    auto& fan = *s_.steps[ref.step].fan;
    ++fan.active;
    while (fan.first_open < fan.tasks.size() && fan.tasks[fan.first_open].status != TaskStatus::pending)
      ++fan.first_open;
  }
  void deactivate(TaskRef ref) {
    if (ref.item == kNoItem) return;
    auto& fan = *s_.steps[ref.step].fan;
    --fan.active;
    fan.first_open = std::min(fan.first_open, ref.item);
  }

  void end_task(TaskRef ref, TaskState& task, TaskChange on) {
    clear_timer(ref, task);
    if (task.wait == WaitKind::event) s_.event_waits.erase(ref);
    const bool was_active = task.is_active();
    change(task, on);
    task.ended_at = at_;
    if (ref.item == kNoItem) return end_step(ref.step, !s_.steps[ref.step].pin);
    auto& fan = *s_.steps[ref.step].fan;
    if (was_active) --fan.active;
    ++fan.ended;
    if (on == TaskChange::fail) {
      ++fan.failed;
      fan.first_failed = std::min(fan.first_failed, ref.item);
    }
    while (fan.first_open < fan.tasks.size() && fan.tasks[fan.first_open].status != TaskStatus::pending)
      ++fan.first_open;
  }

  void end_step(StepIndex index, bool can_be_undone = true) {
    const auto& step = s_.workflow->steps[index];
    auto& task = s_.steps[index].task;
    task.ended_at = at_;
    if (step.is_compensation) {
      ++s_.compensated;
      return ready_next_compensation();
    }
    --s_.open_steps;
    if (task.status == TaskStatus::completed && step.compensate != kNoStep && can_be_undone)
      s_.to_compensate.push_back(index);
    for (const auto position : step.outgoing) settle(s_.workflow->edges[position]);
  }

  enum class EdgeFate { taken, dead, broken };
  EdgeFate fate(const Edge& edge) const {
    const auto& step = s_.workflow->steps[edge.source];
    const auto& task = s_.steps[edge.source].task;
    if (task.status == TaskStatus::completed) {
      const bool taken = edge.when.empty() ? task.plain_taken : edge.when == task.port;
      return taken && !edge.is_error() ? EdgeFate::taken : EdgeFate::dead;
    }
    if (task.status != TaskStatus::failed) return EdgeFate::dead;
    if (edge.is_error()) return EdgeFate::taken;
    if (step.on_error == OnError::resume) return edge.when.empty() ? EdgeFate::taken : EdgeFate::dead;
    return EdgeFate::broken;
  }

  void settle(const Edge& edge) {
    auto& target = s_.steps[edge.target];
    count(target, fate(edge));
    if (target.task.status == TaskStatus::pending) touch(edge.target);
  }
  static void count(StepState& target, EdgeFate how) {
    ++target.settled;
    if (how == EdgeFate::taken) ++target.taken;
    if (how == EdgeFate::broken) ++target.broken;
  }

  static void reset(TaskState& task) {
    change(task, TaskChange::reopen);
    task.asked = false;
    task.failures = task.losses = 0;
    task.first_attempt_at.reset();
    task.ended_at.reset();
    task.error.reset();
    task.wait = WaitKind::none;
    task.child.reset();
  }

  void reopen(StepState& step) {
    reset(step.task);
    if (!step.fan) return;
    auto& fan = *step.fan;
    fan.active = fan.ended = fan.failed = fan.first_open = fan.asked = 0;
    fan.first_failed = kNoItem;
    for (auto& task : fan.tasks) {
      if (task.status == TaskStatus::completed)
        ++fan.ended;
      else
        reset(task);
    }
  }

  /// The incoming edges of a reopened step, from what has ended and stays so.
  void recount(StepIndex index) {
    auto& step = s_.steps[index];
    step.settled = step.taken = step.broken = 0;
    for (const auto position : s_.workflow->steps[index].incoming) {
      const auto& edge = s_.workflow->edges[position];
      if (is_terminal(s_.steps[edge.source].task.status)) count(step, fate(edge));
    }
    touch(index);
  }

  ExecutionState& s_;
  TimePoint at_;
};

}  // namespace

void apply(ExecutionState& state, const Event& event, TimePoint at) {
  std::visit(Fold(state, at), event);
  ++state.last_seq;
}

ExecutionState make_state(ExecutionId id, std::shared_ptr<const Workflow> workflow) {
  ExecutionState state;
  state.id = id;
  state.steps.resize(workflow->steps.size());
  state.workflow = std::move(workflow);
  return state;
}

}  // namespace fp::engine

#include "base/json_parse.hpp"
#include "base/mutant.hpp"
#include "engine/json_fields.hpp"

namespace fp::engine {

using namespace model;

namespace {

void write_task(FieldWriter& f, const TaskState& task) {
  f.plain("status", to_string(task.status));
  if (!task.plain_taken) f.flag("detour", true);
  if (task.wait != WaitKind::none) f.plain("wait", to_string(task.wait));
  f.number_if("attempt", task.attempt);
  f.number_if("failures", task.failures);
  f.number_if("losses", task.losses);
  if (task.ready_at != TimePoint{}) f.time("ready_at", task.ready_at);
  f.time("first_attempt_at", task.first_attempt_at);
  f.time("ended_at", task.ended_at);
  f.time("due", task.due);
  if (task.child) f.plain("child", to_string(*task.child));
  f.text("wait_name", task.wait_name);
  f.text("port", task.port);
  f.value("wait_data", task.wait_data);
  f.value("output", task.output);
  f.error("error", task.error);
}

TaskState read_task(const FieldReader& f) {
  TaskState task;
  task.status = f.choice("status", parse_task_status);
  task.plain_taken = !f.flag("detour");
  if (f.find("wait") != nullptr) task.wait = f.choice("wait", parse_wait_kind);
  task.attempt = f.small("attempt");
  task.failures = f.small("failures");
  task.losses = f.small("losses");
  task.ready_at = f.time("ready_at");
  task.first_attempt_at = f.find_time("first_attempt_at");
  task.ended_at = f.find_time("ended_at");
  task.due = f.find_time("due");
  task.child = f.find_id<ExecutionId>("child");
  task.wait_name = f.text("wait_name");
  task.port = f.text("port");
  task.wait_data = f.value("wait_data");
  task.output = f.value("output");
  task.error = f.error("error");
  return task;
}

class StateWriter {
 public:
  StateWriter(const ExecutionState& state, const BlobWriter& spill) : s_(state), spill_(spill) {}

  std::string write() {
    FieldWriter f(out_, *s_.workflow, spill_);
    write_head(f);
    write_flags(f);
    f.key("steps");
    write_list(s_.steps, [&](const StepState& step) { write_step(step); });
    write_signals(f);
    write_taken_events(f);
    f.close();
    return std::move(out_);
  }

 private:
  template <class List, class F>
  void write_list(const List& list, F write_one) {
    out_ += '[';
    bool first = true;
    for (const auto& item : list) {
      if (!std::exchange(first, false)) out_ += ',';
      write_one(item);
    }
    out_ += ']';
  }

  void write_head(FieldWriter& f) {
    f.plain("id", to_string(s_.id));
    f.plain("status", to_string(s_.status));
    f.number("last_seq", s_.last_seq);
    f.number_if("round", s_.round);
    f.number_if("deaths", s_.deaths);
    f.number_if("depth", s_.depth);
    if (s_.cause) f.plain("cause", to_string(*s_.cause));
    f.number("seed", s_.seed);
    f.text("trigger", s_.trigger);
    f.value("input", s_.input);
    f.value("vars", s_.vars);
    f.value("labels", s_.labels);
    f.value("execution_info", s_.execution_info);
    f.value("workflow_info", s_.workflow_info);
    write_parent(f, s_.parent);
    if (s_.retry_of) f.plain("retry_of", to_string(*s_.retry_of));
    if (s_.workflow_id) f.plain("workflow_id", to_string(*s_.workflow_id));
    f.number_if("workflow_version", s_.workflow_version);
    f.time("started_at", s_.started_at);
    f.time("ended_at", s_.ended_at);
    f.value("output", s_.output);
    f.error("error", s_.error);
  }

  void write_flags(FieldWriter& f) {
    f.flag_if("paused", s_.paused);
    f.text("pause_reason", s_.pause_reason);
    f.error("failure", s_.failure);
    f.step("failed_step", s_.failed_step);
    f.flag_if("cancelling", s_.cancelling);
    f.flag_if("forced", s_.forced);
    f.text("cancel_reason", s_.cancel_reason);
    f.flag_if("compensating", s_.compensating);
    f.number("open_steps", s_.open_steps);
    f.number_if("compensated", s_.compensated);
    f.key("to_compensate");
    write_list(s_.to_compensate,
               [&](StepIndex index) { append_text(out_, Json(s_.workflow->steps[index].id)); });
    f.key("timers");
    write_list(s_.timers, [&](const auto& timer) {
      FieldWriter inner(out_, *s_.workflow, spill_);
      inner.time("at", timer.first);
      inner.task(timer.second);
      inner.close();
    });
  }

  void write_step(const StepState& step) {
    FieldWriter f(out_, *s_.workflow, spill_);
    write_task(f, step.task);
    f.number_if("settled", step.settled);
    f.number_if("taken", step.taken);
    f.number_if("broken", step.broken);
    f.value("pin", step.pin);
    f.flag_if("left_out", step.left_out);
    if (step.fan) {
      f.value("items", step.fan->items);
      f.key("tasks");
      write_list(step.fan->tasks, [&](const TaskState& task) {
        FieldWriter inner(out_, *s_.workflow, spill_);
        write_task(inner, task);
        inner.close();
      });
    }
    f.close();
  }

  void write_signals(FieldWriter& f) {
    if (s_.signals.empty() || FP_MUTANT("snapshot without signals")) return;
    f.key("signals");
    write_list(s_.signals, [&](const auto& entry) {
      FieldWriter inner(out_, *s_.workflow, spill_);
      inner.text("name", entry.first);
      JsonArray payloads;
      for (const auto& payload : entry.second) payloads.push_back(*payload);
      inner.value("payloads", make_value(std::move(payloads)));
      inner.close();
    });
  }

  void write_taken_events(FieldWriter& f) {
    if (s_.taken_events.empty()) return;
    f.key("taken_events");
    write_list(s_.taken_events, [&](std::uint64_t number) { out_ += std::to_string(number); });
  }

  const ExecutionState& s_;
  const BlobWriter& spill_;
  std::string out_;
};

void read_head(const FieldReader& f, ExecutionState& s) {
  const auto id = f.find_id<ExecutionId>("id");
  if (!id) FieldReader::corrupt("its id");
  s.id = *id;
  s.status = f.choice("status", parse_execution_status);
  s.last_seq = f.number("last_seq");
  s.round = f.small("round");
  s.deaths = f.small("deaths");
  s.depth = f.small("depth");
  s.cause = f.find_id<EventId>("cause");
  s.seed = f.number("seed");
  s.trigger = f.text("trigger");
  s.input = f.value("input");
  s.vars = f.value("vars");
  s.labels = f.value("labels");
  s.execution_info = f.value("execution_info");
  s.workflow_info = f.value("workflow_info");
  s.parent = read_parent(f);
  s.retry_of = f.find_id<ExecutionId>("retry_of");
  s.workflow_id = f.find_id<WorkflowId>("workflow_id");
  s.workflow_version = f.small("workflow_version");
  s.started_at = f.time("started_at");
  s.ended_at = f.find_time("ended_at");
  s.output = f.value("output");
  s.error = f.error("error");
}

void read_flags(const FieldReader& f, ExecutionState& s) {
  s.paused = f.flag("paused");
  s.pause_reason = f.text("pause_reason");
  s.failure = f.error("failure");
  s.failed_step = f.step("failed_step");
  s.cancelling = f.flag("cancelling");
  s.forced = f.flag("forced");
  s.cancel_reason = f.text("cancel_reason");
  s.compensating = f.flag("compensating");
  s.open_steps = f.small("open_steps");
  s.compensated = f.small("compensated");
  for (const auto& entry : f.list("to_compensate")) {
    const auto* step = s.workflow->find_step(to_display_text(entry));
    if (step == nullptr) FieldReader::corrupt("a step of this workflow");
    s.to_compensate.push_back(step->index);
  }
  for (const auto& entry : f.list("timers")) {
    const auto timer = f.inner(entry);
    s.timers.emplace(timer.time("at"), timer.task());
  }
  for (const auto& number : f.list("taken_events"))
    s.taken_events.insert(static_cast<std::uint64_t>(number.to_number<std::int64_t>()));
  for (const auto& entry : f.list("signals")) {
    const auto inner = f.inner(entry);
    const auto payloads = inner.value("payloads");
    if (!payloads || !payloads->is_array()) FieldReader::corrupt("its payloads");
    for (const auto& payload : payloads->get_array())
      s.signals[inner.text("name")].push_back(make_value(payload));
  }
}

/// The counters of a for_each step follow from its tasks.
FanOut read_fan(const FieldReader& f, const Json& tasks) {
  FanOut fan;
  fan.items = f.value("items");
  for (const auto& entry : tasks.as_array()) {
    const auto item = static_cast<std::uint32_t>(fan.tasks.size());
    fan.tasks.push_back(read_task(f.inner(entry)));
    const auto& task = fan.tasks.back();
    if (task.is_active()) ++fan.active;
    if (is_terminal(task.status)) ++fan.ended;
    if (task.status == TaskStatus::failed && fan.failed++ == 0) fan.first_failed = item;
  }
  while (fan.first_open < fan.tasks.size() && fan.tasks[fan.first_open].status != TaskStatus::pending)
    ++fan.first_open;
  return fan;
}

/// They follow from the tasks.
void find_event_waits(ExecutionState& s) {
  const auto look = [&s](TaskRef ref, const TaskState& task) {
    if (task.status == TaskStatus::waiting && task.wait == WaitKind::event) s.event_waits.insert(ref);
  };
  for (StepIndex i = 0; i < s.steps.size(); ++i) {
    look({i, kNoItem}, s.steps[i].task);
    if (!s.steps[i].fan) continue;
    for (std::uint32_t k = 0; k < s.steps[i].fan->tasks.size(); ++k) look({i, k}, s.steps[i].fan->tasks[k]);
  }
}

}  // namespace

std::string encode_state(const ExecutionState& state, const BlobWriter& spill) {
  return StateWriter(state, spill).write();
}

ExecutionState decode_state(std::string_view text, std::shared_ptr<const Workflow> workflow,
                            const BlobReader& load) {
  const auto json = parse_trusted_json(text);
  ExecutionState state;
  state.workflow = workflow;
  const FieldReader f(json, *workflow, load);
  read_head(f, state);
  read_flags(f, state);
  for (const auto& entry : f.list("steps")) {
    const auto inner = f.inner(entry);
    auto& step = state.steps.emplace_back();
    step.task = read_task(inner);
    step.settled = inner.small("settled");
    step.taken = inner.small("taken");
    step.broken = inner.small("broken");
    step.pin = inner.value("pin");
    step.left_out = inner.flag("left_out");
    if (const auto* tasks = inner.find("tasks")) step.fan = read_fan(inner, *tasks);
  }
  find_event_waits(state);
  if (state.steps.size() != workflow->steps.size()) FieldReader::corrupt("the steps of this workflow");
  return state;
}

}  // namespace fp::engine

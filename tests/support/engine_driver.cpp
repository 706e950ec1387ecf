#include "engine/codec.hpp"
#include "engine/retry.hpp"
#include "support/history_text.hpp"
#include "support/scenario_actions.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

namespace fp::tests {

namespace {

namespace cmd = engine::command;
namespace in = engine::input;

/// Runs a scenario with the pure functions alone: no store, no loops, no threads. Every decision is also
/// checked against decide() on a copy, and every event against its own text.
class EngineDriver {
 public:
  explicit EngineDriver(const Scenario& scenario) : scenario_(scenario) {}

  std::string run() {
    root_ = derive_uuid<ExecutionId>("scenario");
    for (const auto& action : scenario_.actions) plan(action.at, [this, &action] { act(action); });
    open(root_, scenario_.workflow);
    take(root_, in::Start{make_start(scenario_)});
    const auto limit = start_ + kScenarioLimit;
    while (step(limit)) {
    }
    return std::move(history_);
  }

 private:
  struct Execution {
    engine::ExecutionState state;
    std::vector<std::pair<engine::Event, TimePoint>> journal;
  };

  void open(const ExecutionId& id, std::shared_ptr<const model::Workflow> workflow) {
    executions_[id].state = engine::make_state(id, std::move(workflow));
  }

  void plan(Milliseconds after, std::function<void()> what) {
    planned_.emplace(std::pair(now_ + after, order_++), std::move(what));
  }

  /// The next planned thing, or the next timer of any execution, whichever comes first.
  bool step(TimePoint limit) {
    std::optional<TimePoint> wake;
    ExecutionId sleeper;
    for (const auto& [id, execution] : executions_) {
      const auto due = engine::next_wake(execution.state);
      if (due && (!wake || *due < *wake)) wake = due, sleeper = id;
    }
    const bool planned_first = !planned_.empty() && (!wake || planned_.begin()->first.first <= *wake);
    if (!planned_first && !wake) return false;
    now_ = std::max(now_, planned_first ? planned_.begin()->first.first : *wake);
    if (now_ > limit) return false;
    if (!planned_first) return take(sleeper, in::TimeReached{}), true;
    const auto what = std::move(planned_.begin()->second);
    planned_.erase(planned_.begin());
    what();
    return true;
  }

  void act(const Action& action) {
    if (action.verb == "crash") return crash();
    if (auto input = to_input(action, *scenario_.workflow)) take(root_, *input);
  }

  void crash() {
    ++process_;
    for (auto& [id, execution] : executions_) {
      execution.state = fold(id, execution);
      if (!is_terminal(execution.state.status)) take(id, in::Recover{true});
    }
  }

  /// The state again, from the text of its own journal.
  static engine::ExecutionState fold(const ExecutionId& id, const Execution& execution) {
    const auto& workflow = execution.state.workflow;
    auto state = engine::make_state(id, workflow);
    for (const auto& [event, at] : execution.journal) {
      const auto copy =
          engine::decode_events(engine::encode_events(std::span(&event, 1), *workflow), *workflow);
      engine::apply(state, copy.front(), at);
    }
    state.touched.clear();
    const auto text = engine::encode_state(state);
    EXPECT_EQ(text, engine::encode_state(engine::decode_state(text, workflow)))
        << "a snapshot loses something";
    return state;
  }

  void take(const ExecutionId& id, const engine::Input& input) {
    auto& execution = executions_.at(id);
    const auto pure = engine::decide(execution.state, input, now_);
    auto decision = engine::advance(execution.state, input, now_);
    EXPECT_EQ(pure.events.size(), decision.events.size()) << "decide and advance disagree";
    if (decision.refusal)
      history_ +=
          fmt::format("{} refused {}: {}\n", seconds(), decision.refusal->code, decision.refusal->message);
    for (const auto& event : decision.events) {
      execution.journal.emplace_back(event, now_);
      const auto prefix = id == root_ ? "" : fmt::format("[{}] ", execution.state.workflow->name);
      history_ += prefix + describe_line(event, *execution.state.workflow, start_, now_) + "\n";
    }
    const auto folded = fold(id, execution);
    EXPECT_EQ(engine::encode_state(folded), engine::encode_state(execution.state))
        << "folding the events gives another state";
    for (auto& command : decision.commands) {
      std::visit([&](auto& c) { carry_out(id, c); }, command);
    }
  }

  std::string seconds() const { return fmt::format("{:.1f}", double((now_ - start_).count()) / 1000); }

  void carry_out(const ExecutionId& id, const cmd::Dispatch& c) {
    const auto& step = executions_.at(id).state.workflow->steps[c.task.step];
    const auto item = c.task.item == model::kNoItem ? std::nullopt : std::optional(c.task.item);
    const auto& how = scenario_.behaviour(step.id, item, c.attempt);
    const auto process = process_;
    if (how.lost) {
      return plan(kLeaseTime, [this, id, c, process] {
        if (process == process_ && still_running(id, c))
          take(id, in::AttemptLost{c.task, c.attempt, "worker_lost"});
      });
    }
    Result<Value> outcome =
        how.error ? Result<Value>(*how.error)
                  : Result<Value>(how.output ? make_value(*how.output) : default_output(c.config));
    auto after = how.takes;
    if (how.hangs || how.takes > step.timeout + kTimeoutGrace) {
      after = step.timeout + kTimeoutGrace;
      outcome = Error("task.timeout",
                      fmt::format("the attempt took longer than {}", to_display_text(step.timeout)), true);
    }
    plan(after, [this, id, c, outcome, process] {
      if (process == process_ && still_running(id, c))
        take(id, in::AttemptEnded{c.task, c.attempt, outcome, {}});
    });
  }
  bool still_running(const ExecutionId& id, const cmd::Dispatch& c) const {
    const auto& task = executions_.at(id).state.task(c.task);
    return task.status == model::TaskStatus::running && task.attempt == c.attempt;
  }
  static Value default_output(const Value& config) {
    const auto* output = json_find(*config, "output");
    return output == nullptr ? null_value() : make_value(*output);
  }

  void carry_out(const ExecutionId&, const cmd::CancelAttempt&) {}
  void carry_out(const ExecutionId&, const cmd::Publish&) {}
  void carry_out(const ExecutionId& id, const cmd::Evaluate& c) {
    ports::EvaluationRequest request{c.scope, c.expressions, c.items, c.now, c.seed, {}};
    std::promise<ports::EvaluationAnswer> promise;
    shared_evaluator().evaluate(
        std::move(request), [&](ports::EvaluationAnswer answer) { promise.set_value(std::move(answer)); });
    in::Evaluated evaluated{c.task, c.round, c.attempt, c.previous};
    evaluated.answers.push_back(promise.get_future().get().results);
    const auto process = process_;
    plan(Milliseconds(0), [this, id, evaluated, process] {
      if (process == process_) take(id, evaluated);
    });
  }
  void carry_out(const ExecutionId& id, const cmd::StartChild& c) {
    start_child(id, c.child, c.workflow, c.input, c.wait ? std::optional(c.task) : std::nullopt);
  }
  void carry_out(const ExecutionId& id, const cmd::StartFailureWorkflow& c) {
    start_child(id, c.child, c.workflow, c.input, {});
  }

  void start_child(const ExecutionId& id, const ExecutionId& child, const std::string& name,
                   const Value& input, std::optional<model::TaskRef> task) {
    if (executions_.contains(child)) return;
    const auto& parent = executions_.at(id).state;
    for (const auto& candidate : scenario_.children) {
      if (candidate->name != name) continue;
      open(child, candidate);
      model::event::ExecutionStarted started;
      started.workflow_name = name;
      started.version_hash = candidate->hash;
      started.input = input;
      started.vars = parent.vars;
      started.seed = engine::draw(parent.seed, task ? *task : model::TaskRef{}, parent.round + 1);
      started.trigger = task ? "parent" : "workflow";
      started.depth = parent.depth + 1;
      if (task) started.parent = model::ParentLink{id, *task, parent.round};
      return bear(child, started);
    }
    if (!task) return;
    auto error = model::make_error(
        Error("workflow.unknown", fmt::format("there is no workflow named \"{}\"", name), false));
    plan(Milliseconds(0), [this, id,
                           ended = in::ChildEnded{*task, parent.round, child, model::ExecutionStatus::failed,
                                                  nullptr, error}] { take(id, ended); });
  }

  /// A child is born with its parent's decision and carried on by itself.
  void bear(const ExecutionId& child, const model::event::ExecutionStarted& started) {
    auto& execution = executions_.at(child);
    const engine::Event event = started;
    engine::apply(execution.state, event, now_);
    execution.state.touched.clear();
    execution.journal.emplace_back(event, now_);
    history_ += fmt::format("[{}] {}\n", execution.state.workflow->name,
                            describe_line(event, *execution.state.workflow, start_, now_));
    plan(Milliseconds(0), [this, child] { take(child, in::Recover{false}); });
  }

  void carry_out(const ExecutionId&, const cmd::CancelChild& c) {
    plan(Milliseconds(0), [this, child = c.child] {
      if (executions_.contains(child)) take(child, in::Cancel{"its parent execution stopped"});
    });
  }
  void carry_out(const ExecutionId& id, const cmd::NotifyParent& c) {
    const auto& state = executions_.at(id).state;
    in::ChildEnded ended{c.parent.task, c.parent.round, id, state.status, state.output, state.error};
    plan(Milliseconds(0), [this, parent = c.parent.execution, ended] { take(parent, ended); });
  }

  const Scenario& scenario_;
  const TimePoint start_{Milliseconds(1'760'000'000'000)};
  TimePoint now_ = start_;
  ExecutionId root_;
  std::map<ExecutionId, Execution> executions_;
  std::map<std::pair<TimePoint, std::uint64_t>, std::function<void()>> planned_;
  std::uint64_t order_ = 0;
  int process_ = 0;  // counts processes: what an earlier one had under way is gone
  std::string history_;
};

}  // namespace

std::string run_in_engine(const Scenario& scenario) {
  return EngineDriver(scenario).run();
}

}  // namespace fp::tests

#include "base/error_code.hpp"
#include "engine/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace fp::engine {

using namespace model;
namespace ev = model::event;

namespace {

using Mode = PartialOrder::Mode;

const Json& definition_of(const Workflow& workflow, StepIndex index) {
  return workflow.document.at("steps").as_array()[index];
}

/// The steps whose results this one's expressions read by name.
std::vector<StepIndex> find_reads(const Workflow& workflow, const Step& step) {
  std::vector<StepIndex> out;
  const auto add = [&](const Template& part) {
    for (const auto& [pointer, expression] : part.list_expressions()) {
      for (const auto& id : expression->steps) {
        if (const auto* read = workflow.find_step(id)) out.push_back(read->index);
      }
    }
  };
  add(step.config);
  for (const auto& [field, part] : step.per_item) add(part);
  if (step.for_each) add(*step.for_each);
  return out;
}

/// Makes one plan. Each step ends as one of these:
enum class Role { out, run, reuse, settled, given, pinned };
// out: skipped from the start. settled: skipped in the earlier execution, and so again by what is reused.
// given: pinned, complete from the start. pinned: complete when its turn comes.

class Planner {
 public:
  Planner(const Workflow& workflow, const PartialOrder& order, const ExecutionState* earlier)
      : workflow_(workflow), order_(order), earlier_(earlier), roles_(workflow.steps.size(), Role::out) {}

  Result<void> plan(ev::ExecutionStarted& started) {
    if (order_.mode == Mode::whole) {
      for (const auto& [step, output] : order_.pins) started.pins.push_back({step, output});
      return {};
    }
    find_recorded();
    assign();
    if (auto missing = find_missing(); !missing.empty()) return refuse(std::move(missing));
    write(started);
    const auto skipped = foresee(workflow_, started).skip;
    if (std::ranges::find(skipped, order_.step) == skipped.end()) return {};
    return Error(codes::partial_not_reached,
                 fmt::format("\"{}\" would not run: what is reused or pinned leads another way; pin the step "
                             "that chooses, or run more of the workflow",
                             workflow_.steps[order_.step].id));
  }

 private:
  struct Recorded {
    bool holds = false;  // what was recorded would be recorded again
    std::string reason;  // why not
  };

  bool is_pinned(StepIndex index) const { return order_.pins.contains(index); }
  const TaskState* find_earlier(StepIndex index) const {
    const auto* before = earlier_ ? earlier_->workflow->find_step(workflow_.steps[index].id) : nullptr;
    return before == nullptr ? nullptr : &earlier_->steps[before->index].task;
  }

  void find_recorded() {
    recorded_.resize(workflow_.steps.size());
    for (const auto index : sort_topologically(workflow_)) recorded_[index] = judge(index);
  }

  Recorded judge(StepIndex index) const {
    const auto& step = workflow_.steps[index];
    if (earlier_ == nullptr) return {false, "no execution is named to take it from"};
    const auto* task = find_earlier(index);
    const bool completed = task != nullptr && task->status == TaskStatus::completed;
    if (const auto pin = order_.pins.find(index); pin != order_.pins.end())
      return {completed && task->output && *task->output == *pin->second, "another value is pinned to it"};
    if (!completed && (task == nullptr || task->status != TaskStatus::skipped))
      return {false, "it did not complete in that execution"};
    const auto before = earlier_->workflow->find_step(step.id)->index;
    if (definition_of(workflow_, index) != definition_of(*earlier_->workflow, before))
      return {false, "it has been changed since"};
    for (const auto position : step.incoming) {
      const auto source = workflow_.edges[position].source;
      if (!recorded_[source].holds)
        return {false, fmt::format("it rests on \"{}\", which can not be taken: {}",
                                   workflow_.steps[source].id, recorded_[source].reason)};
    }
    return {completed || is_settled(index), "it was skipped in that execution"};
  }

  /// Would it be skipped again by what its sources recorded, and not because that execution was failing?
  bool is_settled(StepIndex index) const {
    ev::ExecutionStarted known;
    for (const auto position : workflow_.steps[index].incoming) {
      const auto source = workflow_.edges[position].source;
      const auto& task = *find_earlier(source);
      if (task.status == TaskStatus::completed)
        known.reused.push_back({source, task.output, task.port, task.plain_taken});
      else
        known.left_out.push_back(source);
    }
    const auto skipped = foresee(workflow_, known).skip;
    return std::ranges::find(skipped, index) != skipped.end();
  }

  void assign() {
    if (order_.mode == Mode::from) return assign_from();
    if (order_.mode == Mode::only) return assign_only();
    take_with_sources(order_.step, true);
    if (!is_ordered()) {
      std::ranges::fill(roles_, Role::out);
      take_with_sources(order_.step, false);
    }
  }

  Role role_of_rest(StepIndex index) const {
    if (is_pinned(index)) return Role::given;
    if (!recorded_[index].holds) return Role::out;
    return find_earlier(index)->status == TaskStatus::completed ? Role::reuse : Role::settled;
  }

  void assign_from() {
    for (const auto index : sort_topologically(workflow_)) {
      const auto& incoming = workflow_.steps[index].incoming;
      const bool after = index == order_.step || std::ranges::any_of(incoming, [&](std::uint32_t position) {
                           const auto role = roles_[workflow_.edges[position].source];
                           return role == Role::run || role == Role::pinned;
                         });
      roles_[index] = !after ? role_of_rest(index) : is_pinned(index) ? Role::pinned : Role::run;
    }
  }

  void assign_only() {
    for (const auto index : find_ancestors(order_.step)) roles_[index] = role_of_rest(index);
    roles_[order_.step] = Role::run;
  }

  std::vector<StepIndex> find_ancestors(StepIndex start) const {
    std::vector<bool> seen(workflow_.steps.size());
    std::vector<StepIndex> out;
    std::vector<StepIndex> open = {start};
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      for (const auto position : workflow_.steps[at].incoming) {
        const auto source = workflow_.edges[position].source;
        if (seen[source]) continue;
        seen[source] = true;
        out.push_back(source);
        open.push_back(source);
      }
    }
    return out;
  }

  /// `to`: the step and what it needs. With `cut`, what only feeds pinned steps is not needed.
  void take_with_sources(StepIndex start, bool cut) {
    std::vector<StepIndex> open = {start};
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      if (roles_[at] != Role::out) continue;
      const auto rest = role_of_rest(at);
      roles_[at] = at == start         ? Role::run
                   : is_pinned(at)     ? (cut ? Role::given : Role::pinned)
                   : rest == Role::out ? Role::run
                                       : rest;
      if (roles_[at] == Role::given) continue;
      for (const auto position : workflow_.steps[at].incoming)
        open.push_back(workflow_.edges[position].source);
    }
  }

  /// Has everything that a running step reads ended before it starts? A pinned step that is complete from the
  /// start holds nobody up, so what lies before it may be late, or not run at all.
  bool is_ordered() const {
    std::vector<std::vector<bool>> before(workflow_.steps.size());
    for (const auto index : sort_topologically(workflow_)) {
      auto& mine = before[index];
      mine.resize(workflow_.steps.size());
      if (roles_[index] == Role::out || roles_[index] == Role::given) continue;
      for (const auto position : workflow_.steps[index].incoming) {
        const auto source = workflow_.edges[position].source;
        std::transform(mine.begin(), mine.end(), before[source].begin(), mine.begin(), std::logical_or<>());
        mine[source] = true;
      }
      if (roles_[index] != Role::run) continue;
      for (const auto read : find_reads(workflow_, workflow_.steps[index])) {
        const bool is_there = roles_[read] == Role::reuse || roles_[read] == Role::given;
        if (!is_there && !mine[read]) return false;
      }
    }
    return true;
  }

  std::vector<Issue> find_missing() const {
    std::vector<StepIndex> missing;
    for (const auto& step : workflow_.steps) {
      if (roles_[step.index] != Role::run) continue;
      auto needs = find_reads(workflow_, step);
      for (const auto position : step.incoming) needs.push_back(workflow_.edges[position].source);
      for (const auto need : needs) {
        if (roles_[need] == Role::out && std::ranges::find(missing, need) == missing.end())
          missing.push_back(need);
      }
    }
    std::ranges::sort(missing);
    std::vector<Issue> issues;
    for (const auto index : missing) {
      const auto& id = workflow_.steps[index].id;
      issues.push_back({"/pins/" + id, codes::partial_missing.id,
                        fmt::format("nothing gives the result of \"{}\": {}", id, recorded_[index].reason)});
    }
    return issues;
  }

  static Error refuse(std::vector<Issue> issues) {
    Error error(codes::partial_missing,
                issues.size() == 1
                    ? issues.front().message
                    : fmt::format("{}; and {} more like it", issues.front().message, issues.size() - 1));
    error.issues = std::move(issues);
    return error;
  }

  void write(ev::ExecutionStarted& started) const {
    bool reuses = false;
    for (const auto& step : workflow_.steps) {
      if (step.is_compensation) continue;
      const auto pin = order_.pins.find(step.index);
      switch (roles_[step.index]) {
        case Role::out:
          started.left_out.push_back(step.index);
          break;
        case Role::reuse: {
          const auto& task = *find_earlier(step.index);
          started.reused.push_back({step.index, task.output, task.port, task.plain_taken});
          reuses = true;
          break;
        }
        case Role::given: {
          const auto way = way_out(step, *pin->second);
          started.reused.push_back({step.index, pin->second, way.port, way.plain_taken, true});
          break;
        }
        case Role::pinned:
          started.pins.push_back({step.index, pin->second});
          break;
        case Role::run:
        case Role::settled:
          break;
      }
    }
    if (reuses) started.reused_from = earlier_->id;
  }

  const Workflow& workflow_;
  const PartialOrder& order_;
  const ExecutionState* earlier_;
  std::vector<Role> roles_;
  std::vector<Recorded> recorded_;
};

}  // namespace

Result<void> plan_partial(const Workflow& workflow, const PartialOrder& order, const ExecutionState* earlier,
                          ev::ExecutionStarted& started) {
  return Planner(workflow, order, earlier).plan(started);
}

}  // namespace fp::engine

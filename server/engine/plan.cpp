#include "engine/plan.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace fp::engine {

using namespace model;
namespace ev = model::event;

WayOut way_out(const Step& step, const Json& output) {
  const auto text = [&](const char* member) { return json_string(output, member); };
  const auto* decision = json_find(output, step.type->type == "conditional" ? "result" : "approved");
  const bool yes = decision != nullptr && decision->is_bool() && decision->get_bool();
  if (step.disabled || step.ports.empty()) return {step.ports.empty() ? "" : step.ports.front(), true};
  if (step.type->type == "conditional") return {yes ? "true" : "false", true};
  if (step.type->type == "approval") return {yes ? "approved" : "rejected", yes};
  if (step.type->type == "switch") return {text("case").empty() ? "default" : text("case"), true};
  if (step.type->decided_in_engine) return {"", true};
  return {step.ports.front(), true};
}

namespace {

/// What is known of a step before anything runs.
struct Known {
  enum class Kind { runs, completed, failed, skipped };
  Kind kind = Kind::runs;
  WayOut way;
};

enum class Fate { open, taken, dead };

Fate fate(const Workflow& workflow, const Edge& edge, const Known& source) {
  const auto& step = workflow.steps[edge.source];
  switch (source.kind) {
    case Known::Kind::runs:
      return Fate::open;
    case Known::Kind::skipped:
      return Fate::dead;
    case Known::Kind::failed:  // handled: one that was not is run again
      return edge.is_error() || (edge.when.empty() && step.on_error == OnError::resume) ? Fate::taken
                                                                                        : Fate::dead;
    case Known::Kind::completed:
      break;
  }
  const bool taken = edge.when.empty() ? source.way.plain_taken : edge.when == source.way.port;
  return taken && !edge.is_error() ? Fate::taken : Fate::dead;
}

bool never_runs(const Workflow& workflow, const Step& step, const std::vector<Known>& known) {
  std::size_t dead = 0;
  for (const auto position : step.incoming) {
    const auto& edge = workflow.edges[position];
    if (fate(workflow, edge, known[edge.source]) == Fate::dead) ++dead;
  }
  if (step.join == Join::always || dead == 0) return false;
  return step.join == Join::all || dead == step.incoming.size();
}

/// Spreads what is known along the graph and sorts the steps.
RunPlan sort_out(const Workflow& workflow, std::vector<Known> known, const std::vector<bool>& reused,
                 const std::vector<bool>& pinned) {
  RunPlan out;
  for (const auto index : sort_topologically(workflow)) {
    const auto& step = workflow.steps[index];
    auto& mine = known[index];
    if (mine.kind == Known::Kind::runs && never_runs(workflow, step, known)) mine.kind = Known::Kind::skipped;
    auto& list = mine.kind == Known::Kind::skipped ? out.skip
                 : pinned[index]                   ? out.pinned
                 : reused[index]                   ? out.reused
                                                   : out.run;
    list.push_back(index);
  }
  return out;
}

}  // namespace

std::vector<StepIndex> sort_topologically(const Workflow& workflow) {
  std::vector<std::size_t> waits(workflow.steps.size());
  std::vector<StepIndex> ready;  // a heap: of those that could be next, the first in the document
  const auto add = [&](StepIndex index) {
    ready.push_back(index);
    std::ranges::push_heap(ready, std::greater());
  };
  for (const auto& step : workflow.steps) {
    waits[step.index] = step.incoming.size();
    if (step.incoming.empty() && !step.is_compensation) add(step.index);
  }
  std::vector<StepIndex> out;
  while (!ready.empty()) {
    std::ranges::pop_heap(ready, std::greater());
    const auto index = ready.back();
    ready.pop_back();
    out.push_back(index);
    for (const auto position : workflow.steps[index].outgoing) {
      const auto target = workflow.edges[position].target;
      if (--waits[target] == 0) add(target);
    }
  }
  return out;
}

RunPlan foresee(const Workflow& workflow, const ev::ExecutionStarted& started) {
  const auto count = workflow.steps.size();
  std::vector<Known> known(count);
  std::vector<bool> reused(count);
  std::vector<bool> pinned(count);
  for (const auto& step : started.reused) {
    known[step.step] = {Known::Kind::completed, {step.port, step.plain_taken}};
    (step.pinned ? pinned : reused)[step.step] = true;
  }
  for (const auto& pin : started.pins) pinned[pin.step] = true;
  for (const auto index : started.left_out) known[index].kind = Known::Kind::skipped;
  return sort_out(workflow, std::move(known), reused, pinned);
}

RunPlan foresee(const ExecutionState& earlier, const ev::ExecutionReopened& reopened) {
  const auto& workflow = *earlier.workflow;
  const auto count = workflow.steps.size();
  std::vector<Known> known(count);
  std::vector<bool> reused(count);
  std::vector<bool> pinned(count);
  for (const auto& step : workflow.steps) {
    const auto& state = earlier.steps[step.index];
    const auto& task = state.task;
    pinned[step.index] = state.pin != nullptr;
    if (std::ranges::find(reopened.steps, step.index) != reopened.steps.end()) continue;
    reused[step.index] = true;
    known[step.index].way = {task.port, task.plain_taken};
    known[step.index].kind = state.left_out                         ? Known::Kind::skipped
                             : task.status == TaskStatus::completed ? Known::Kind::completed
                                                                    : Known::Kind::failed;
  }
  return sort_out(workflow, std::move(known), reused, pinned);
}

namespace {

std::vector<bool> find_this_and_after(const Workflow& workflow, StepIndex start) {
  std::vector<bool> found(workflow.steps.size());
  std::vector<StepIndex> open = {start};
  while (!open.empty()) {
    const auto at = open.back();
    open.pop_back();
    if (found[at]) continue;
    found[at] = true;
    for (const auto edge : workflow.steps[at].outgoing) open.push_back(workflow.edges[edge].target);
  }
  return found;
}

}  // namespace

Result<ev::ExecutionStarted> plan_retry(const ExecutionState& earlier, const Workflow& workflow,
                                        const std::string& from) {
  const auto* start = workflow.find_step(from);
  if (start == nullptr && !from.empty())
    return Error(codes::retry_not_possible,
                 fmt::format("there is no step \"{}\" in this version of the workflow", from));
  const auto again = start == nullptr ? std::vector<bool>(workflow.steps.size(), true)
                                      : find_this_and_after(workflow, start->index);
  ev::ExecutionStarted out;
  out.workflow_name = workflow.name;
  out.version_hash = workflow.hash;
  out.input = earlier.input;
  out.vars = earlier.vars;
  out.labels = earlier.labels;
  out.trigger = "retry";
  out.retry_of = earlier.id;
  for (const auto& step : workflow.steps) {
    const auto* before = earlier.workflow->find_step(step.id);
    if (step.is_compensation || before == nullptr) continue;
    const auto& state = earlier.steps[before->index];
    if (state.left_out) {
      if (start == &step)
        return Error(codes::retry_not_possible,
                     fmt::format("the step \"{}\" was left out of this execution", from));
      out.left_out.push_back(step.index);
    } else if (again[step.index]) {
      if (state.pin) out.pins.push_back({step.index, state.pin});
    } else if (state.task.status == TaskStatus::completed) {
      out.reused.push_back(
          {step.index, state.task.output, state.task.port, state.task.plain_taken, state.pin != nullptr});
    }
  }
  return out;
}

}  // namespace fp::engine

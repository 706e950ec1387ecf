#pragma once

#include "engine/engine.hpp"

#include <map>
#include <string>
#include <vector>

/// Which steps a run will carry out, decided before it starts. Pure, like the rest of the engine.
namespace fp::engine {

/// Where a step that gave `output` goes on: what a value given by hand must settle as a run would.
struct WayOut {
  std::string port;
  bool plain_taken = true;
};
WayOut way_out(const model::Step& step, const Json& output);

/// Every step but compensations, sources first; of those that could be next the first in the document.
std::vector<model::StepIndex> sort_topologically(const model::Workflow& workflow);

/// A part of a workflow, or values instead of running steps, or both.
struct PartialOrder {
  enum class Mode { whole, to, only, from };
  Mode mode = Mode::whole;
  model::StepIndex step = model::kNoStep;  // of `to`, `only`, `from`
  std::map<model::StepIndex, Value> pins;
};

/// Fills `reused`, `reused_from`, `pins` and `left_out` of `started`.
///   to    the step and what it needs; what `earlier` has of it is not run again
///   only  the step alone: what it needs must be pinned or come from `earlier`
///   from  the step and all after it; the rest comes from `earlier` as far as it can
/// A result is taken from `earlier` when its step completed there, is written as it was, and rests on nothing
/// but such results (or on pins of the same value). Errors: partial.missing (naming each step that can
/// neither be taken nor run), partial.not_reached (what is known already leads elsewhere).
Result<void> plan_partial(const model::Workflow& workflow, const PartialOrder& order,
                          const ExecutionState* earlier, model::event::ExecutionStarted& started);

/// What follows from a start. `run` may still turn out smaller: steps choose ways as they run.
struct RunPlan {
  std::vector<model::StepIndex> run;  // in topological order
  std::vector<model::StepIndex> reused;
  std::vector<model::StepIndex> pinned;
  std::vector<model::StepIndex> skip;
};
RunPlan foresee(const model::Workflow& workflow, const model::event::ExecutionStarted& started);
RunPlan foresee(const ExecutionState& earlier, const model::event::ExecutionReopened& reopened);

}  // namespace fp::engine

#pragma once

#include "base/json.hpp"
#include "model/workflow.hpp"
#include "ports/expression.hpp"
#include "ports/store.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fp::tests {

/// What a scripted worker does with one attempt.
struct Behaviour {
  Milliseconds takes{0};
  std::optional<Json> output;
  std::optional<Error> error;
  bool lost = false;   // the worker vanishes: no report, no heartbeat
  bool hangs = false;  // the worker lives but never ends
};

/// Something that is done to the execution from outside, at a time.
struct Action {
  Milliseconds at{0};
  std::string verb;  // signal, event, approve, reject, cancel, pause, resume, crash, retry
  Json argument;
};

/// A definition, a script for workers and the world, and the history that must come of it.
/// `docs/guides/scenarios.md` describes the file.
struct Scenario {
  std::string title;
  std::shared_ptr<const model::Workflow> workflow;
  std::vector<std::shared_ptr<const model::Workflow>> children;
  Json input = JsonObject();
  Json vars = JsonObject();
  Json partial;              // {mode, step}, or null for all of it
  Json pins = JsonObject();  // by step
  Json earlier;              // {step: output}: an execution in which these completed and all else was skipped
  std::map<std::string, std::vector<Behaviour>> workers;  // by "step" or "step[3]"; the last one repeats
  std::vector<Action> actions;
  std::string history;  // a line an event

  const Behaviour& behaviour(const std::string& step, std::optional<std::uint32_t> item,
                             std::uint32_t attempt) const;
};

/// Reads a scenario; fails the running test with a reason when it can not.
std::optional<Scenario> load_scenario(const std::filesystem::path& file,
                                      const model::TaskTypeRegistry& types);

/// The engine's types and `work`, a type that scripted workers carry out.
const model::TaskTypeRegistry& scenario_types();
/// The real sandbox, shared by all scenarios of the process.
ports::ExpressionEvaluator& shared_evaluator();

/// The history a scenario gives: in the pure engine, and in the real runtime on a store.
std::string run_in_engine(const Scenario& scenario);
std::string run_in_runtime(const Scenario& scenario,
                           const std::function<std::unique_ptr<ports::Store>()>& open_store);

}  // namespace fp::tests

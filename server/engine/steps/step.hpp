#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "model/event.hpp"
#include "model/task_type.hpp"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace fp::engine {

/// What a step decided inside the engine sees.
struct StepContext {
  const model::Step& step;
  const Json& config;  // rendered, without the per-item fields
  /// Per-item fields: one result for each of config.items.
  const std::map<std::string, std::vector<Result<Json>>>& per_item;
  TimePoint now;
};

struct StepDone {
  Json output;
  std::string port;
  bool plain_taken = true;
};
struct StepWait {
  model::WaitKind kind = model::WaitKind::none;
  std::optional<TimePoint> due;
  std::string name;
  Json data;
};
/// A child execution; with `wait` false the step completes at once.
struct StepChild {
  std::string workflow;
  Json input;
  bool wait = true;
};
/// An event for whoever subscribes to it; the step completes.
struct StepPublish {
  std::string name;
  std::string key;
  Json data;
};
using StepOutcome = std::variant<StepDone, StepWait, StepChild, StepPublish, Error>;

/// A task type decided inside the engine: no worker, no dispatch. Pure.
struct EngineStep {
  model::TaskTypeSpec spec;
  std::function<StepOutcome(const StepContext&)> decide;
};

/// All of them. Each lives in one file of this folder.
std::span<const EngineStep> engine_steps();
const EngineStep* find_engine_step(std::string_view type);
void register_engine_steps(model::TaskTypeRegistry& registry);

// One maker a file.
EngineStep make_set_step();
EngineStep make_conditional_step();
EngineStep make_switch_step();
EngineStep make_filter_step();
EngineStep make_map_step();
EngineStep make_sort_step();
EngineStep make_limit_step();
EngineStep make_dedupe_step();
EngineStep make_aggregate_step();
EngineStep make_split_step();
EngineStep make_merge_step();
EngineStep make_delay_step();
EngineStep make_wait_signal_step();
EngineStep make_publish_step();
EngineStep make_wait_event_step();
EngineStep make_approval_step();
EngineStep make_workflow_step();
EngineStep make_respond_step();
EngineStep make_fail_step();

}  // namespace fp::engine

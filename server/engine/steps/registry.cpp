#include "engine/steps/step.hpp"

#include <algorithm>
#include <vector>

namespace fp::engine {

std::span<const EngineStep> engine_steps() {
  static const std::vector<EngineStep> steps = [] {
    std::vector<EngineStep> out;
    for (auto* make :
         {make_set_step, make_conditional_step, make_switch_step, make_filter_step, make_map_step,
          make_sort_step, make_limit_step, make_dedupe_step, make_aggregate_step, make_split_step,
          make_merge_step, make_delay_step, make_wait_signal_step, make_publish_step, make_wait_event_step,
          make_approval_step, make_workflow_step, make_respond_step, make_fail_step}) {
      out.push_back(make());
    }
    return out;
  }();
  return steps;
}

const EngineStep* find_engine_step(std::string_view type) {
  const auto steps = engine_steps();
  const auto found = std::find_if(steps.begin(), steps.end(),
                                  [&](const EngineStep& step) { return step.spec.type == type; });
  return found == steps.end() ? nullptr : &*found;
}

void register_engine_steps(model::TaskTypeRegistry& registry) {
  for (const auto& step : engine_steps()) registry.add(step.spec);
}

}  // namespace fp::engine

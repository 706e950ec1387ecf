#pragma once

#include "runtime/observer.hpp"

#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace fp::app {

/// Shows executions while they run, on stderr. On a terminal: a line a step that is redrawn in place (status,
/// time, attempts). Otherwise: a plain line for each thing that happens. Called on shard strands;
/// thread-safe.
class Progress final : public runtime::Observer {
 public:
  enum class Style { terminal, plain, silent };
  explicit Progress(Style style) : style_(style) {}
  static Style detect();

  void on_recorded(const runtime::Recorded& recorded) override;
  void on_started(const engine::ExecutionState& state, model::TaskRef task, TimePoint at) override;
  void on_log(const runtime::Logged& logged) override;
  /// Which execution gets the redrawn lines; others (children) are told of plainly.
  void follow(const ExecutionId& id);

 private:
  void redraw(const engine::ExecutionState& state);
  void print_line(const engine::ExecutionState& state, const std::string& text);
  std::string describe(const engine::ExecutionState& state, const engine::Event& event) const;
  std::string step_line(const engine::ExecutionState& state, model::StepIndex index) const;

  Style style_;
  std::mutex mutex_;
  std::set<ExecutionId> followed_;
  std::set<std::pair<ExecutionId, model::StepIndex>> begun_;
  std::size_t drawn_lines_ = 0;
};

}  // namespace fp::app

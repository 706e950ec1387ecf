#include "runtime/verify.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::runtime {

using model::TaskStatus;

namespace {

class Verifier {
 public:
  Verifier(ports::Store& store, Journal& journal) : store_(store), journal_(journal) {}

  VerifyReport run(const std::function<void(std::size_t)>& progress) {
    for (auto& finding : store_.check_integrity()) report_.findings.push_back(std::move(finding));
    std::optional<std::uint64_t> before;
    do {
      const auto page = store_.list_executions({}, before, 500);
      for (const auto& summary : page.items) check(summary);
      before = page.next;
      if (progress) progress(report_.executions);
    } while (before && report_.findings.size() < kMostFindings);
    return std::move(report_);
  }

 private:
  void find(const ExecutionId& id, std::string what) {
    if (report_.findings.size() < kMostFindings)
      report_.findings.push_back(fmt::format("execution {}: {}", to_string(id), what));
  }

  void check(const ports::ExecutionSummary& summary) {
    ++report_.executions;
    try {
      const auto whole = journal_.load(summary.id, true);
      if (!whole) return find(summary.id, "has a summary but no journal");
      report_.events += whole->state.last_seq;
      check_summary(summary, *whole);
      check_snapshot(summary.id, *whole);
      if (!model::is_terminal(whole->state.status)) check_liveness(whole->state);
    } catch (const Unavailable& damaged) {
      find(summary.id, damaged.error().message);
    }
  }

  void check_summary(const ports::ExecutionSummary& summary, const LoadedState& whole) {
    const auto& state = whole.state;
    const auto status = to_string(engine::shown_status(state));
    // What a process asked of the sandbox is not in the journal: one that died meanwhile left `running`
    // behind, and perhaps no wake-up, because recovery looks at everything that is listed so.
    const bool is_promised = summary.status == "running" && (status == "waiting" || status == "running");
    if (summary.status != status && !is_promised)
      find(summary.id, fmt::format("is listed as {}, but its journal says {}", summary.status, status));
    if (whole.position.wake != engine::next_wake(state) && !is_promised)
      find(summary.id, "its wake-up row is not the one its journal asks for");
    if (summary.status == "waiting" && has_more_to_do(state))
      find(summary.id, "is listed as waiting, but it has something to do that nobody will begin");
    if (summary.completed_at.has_value() != model::is_terminal(state.status))
      find(summary.id, "its end time does not fit its status");
  }

  /// Would a process that takes it over record anything, or ask the sandbox?
  static bool has_more_to_do(const engine::ExecutionState& state) {
    const auto decision = engine::decide(state, engine::input::Recover{}, state.started_at);
    const auto asks = [](const engine::Command& command) {
      return std::holds_alternative<engine::command::Evaluate>(command);
    };
    return !decision.events.empty() || std::any_of(decision.commands.begin(), decision.commands.end(), asks);
  }

  void check_snapshot(const ExecutionId& id, const LoadedState& whole) {
    const auto resumed = journal_.load(id, false);
    if (!resumed || engine::encode_state(resumed->state) != engine::encode_state(whole.state)) {
      find(id, "its snapshot and the events after it give another state than its whole journal");
    }
  }

  /// An unfinished execution without an attempt, a timer, a signal, a child or a person to wait for would
  /// hang for ever.
  void check_liveness(const engine::ExecutionState& state) {
    ++report_.unfinished;
    if (state.paused || engine::next_wake(state) || has_more_to_do(state)) return;
    for (const auto& step : state.steps) {
      if (moves(step.task) || step.task.status == TaskStatus::pending) return;
    }
    find(state.id, "is unfinished, but nothing will ever move it on");
  }
  static bool moves(const model::TaskState& task) { return task.is_active(); }

  static constexpr std::size_t kMostFindings = 100;
  ports::Store& store_;
  Journal& journal_;
  VerifyReport report_;
};

}  // namespace

VerifyReport verify_store(ports::Store& store, Journal& journal,
                          const std::function<void(std::size_t)>& progress) {
  return Verifier(store, journal).run(progress);
}

}  // namespace fp::runtime

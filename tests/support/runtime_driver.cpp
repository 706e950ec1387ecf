#include "runtime/runtime.hpp"
#include "support/history_text.hpp"
#include "support/scenario_actions.hpp"
#include "support/virtual_world.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

namespace fp::tests {

namespace {

namespace in = engine::input;

/// Carries attempts out as the scenario says, on virtual time.
class ScriptedWorkers final : public ports::WorkerTransport {
 public:
  ScriptedWorkers(const Scenario& scenario, VirtualLoop& loop, const Clock& clock)
      : scenario_(scenario), loop_(loop), clock_(clock) {}

  ports::Dispatched dispatch(ports::LeaseId lease, ports::AttemptRequest request, Sink& sink) override {
    const auto& how = scenario_.behaviour(request.step, request.index, request.attempt);
    if (how.lost) return ports::Dispatched::running;
    if (how.takes >= kBeat || how.hangs) beat(lease, sink);
    if (how.hangs) return ports::Dispatched::running;
    ports::AttemptReport report;
    report.lease = lease;
    if (how.error) {
      report.outcome = *how.error;
    } else {
      const auto* output = json_find(*request.config, "output");
      report.outcome = how.output ? *how.output : output != nullptr ? *output : Json(nullptr);
    }
    running_.emplace(lease, true);
    loop_.post_at(clock_.now() + how.takes, [this, report = std::move(report), &sink]() mutable {
      running_.erase(report.lease);
      sink.on_report(std::move(report));
    });
    return ports::Dispatched::running;
  }
  void cancel(ports::LeaseId lease, Sink&) override { running_.erase(lease); }

 private:
  static constexpr Milliseconds kBeat{3'000};
  void beat(ports::LeaseId lease, Sink& sink) {
    running_.emplace(lease, true);
    loop_.post_at(clock_.now() + kBeat, [this, lease, &sink] {
      if (!running_.contains(lease)) return;
      sink.on_heartbeat({lease});
      beat(lease, sink);
    });
  }

  const Scenario& scenario_;
  VirtualLoop& loop_;
  const Clock& clock_;
  std::map<ports::LeaseId, bool> running_;
};

/// Asks the real sandbox and waits: virtual time stands still meanwhile.
class WaitingEvaluator final : public ports::ExpressionEvaluator {
 public:
  void evaluate(ports::EvaluationRequest request, Done done) override {
    std::promise<ports::EvaluationAnswer> promise;
    shared_evaluator().evaluate(
        std::move(request), [&](ports::EvaluationAnswer answer) { promise.set_value(std::move(answer)); });
    done(promise.get_future().get());
  }
  std::vector<std::optional<ports::SyntaxProblem>> check_syntax(
      const std::vector<std::string>& expressions) override {
    return shared_evaluator().check_syntax(expressions);
  }
};

/// One life of a simulated process.
struct Process {
  std::unique_ptr<ports::Store> store;
  std::unique_ptr<VirtualLoop> commit_loop;
  std::unique_ptr<VirtualLoop> shard_loop;
  std::unique_ptr<VirtualLoop> worker_loop;
  std::unique_ptr<ScriptedWorkers> workers;
  std::unique_ptr<runtime::Runtime> runtime;
};

class RuntimeDriver final : public runtime::Observer {
 public:
  RuntimeDriver(const Scenario& scenario, const std::function<std::unique_ptr<ports::Store>()>& open_store)
      : scenario_(scenario), open_store_(open_store) {}

  std::string run() {
    boot();
    keep_children();
    auto outside = world_.make_loop();
    runtime::StartRequest request{root_, scenario_.workflow, make_start(scenario_), {}};
    process_.runtime->start_execution(std::move(request), [](Result<const engine::ExecutionState*> started) {
      EXPECT_TRUE(started) << started.error().message;
    });
    for (const auto& action : scenario_.actions)
      outside->post_at(start_ + action.at, [this, &action] { act(action); });
    while (world_.step(start_ + kScenarioLimit) && !quiet_since_end()) {
    }
    crash();  // what is not on disk does not count
    return std::move(history_);
  }

  void on_recorded(const runtime::Recorded& recorded) override {
    const auto& state = recorded.state;
    for (const auto& event : recorded.events) {
      const auto prefix = state.id == root_ ? "" : fmt::format("[{}] ", state.workflow->name);
      if (std::holds_alternative<model::event::ExecutionStarted>(event)) open_.insert(state.id);
      if (std::holds_alternative<model::event::ExecutionEnded>(event)) open_.erase(state.id);
      if (std::holds_alternative<model::event::ExecutionReopened>(event)) open_.insert(state.id);
      history_ += prefix + describe_line(event, *state.workflow, start_, recorded.at) + "\n";
    }
  }

 private:
  void boot() {
    process_.store = open_store_();
    process_.commit_loop = world_.make_loop();
    process_.shard_loop = world_.make_loop();
    process_.worker_loop = world_.make_loop();
    process_.workers = std::make_unique<ScriptedWorkers>(scenario_, *process_.worker_loop, world_.clock());
    runtime::RuntimePorts ports{*process_.store,
                                *process_.commit_loop,
                                {process_.shard_loop.get()},
                                evaluator_,
                                *process_.workers,
                                scenario_types(),
                                world_.clock(),
                                rng_,
                                this,
                                [](const Error& error) { ADD_FAILURE() << error.message; }};
    process_.runtime = std::make_unique<runtime::Runtime>(std::move(ports), runtime::RuntimeOptions{});
    process_.runtime->claim("scenario");
    process_.runtime->recover_all();
  }

  void keep_children() {
    ports::Batch batch;
    batch.fence = process_.runtime->fence();
    for (const auto& child : scenario_.children)
      batch.versions.push_back(runtime::to_version(*child, start_));
    EXPECT_TRUE(process_.store->commit(batch));
  }

  void crash() {
    for (auto* loop : {process_.commit_loop.get(), process_.shard_loop.get(), process_.worker_loop.get()})
      loop->drop();
    process_ = {};
  }

  void act(const Action& action) {
    if (action.verb == "crash") {
      crash();
      return boot();
    }
    auto input = to_input(action, *scenario_.workflow);
    if (!input) return;
    process_.runtime->deliver(root_, std::move(*input), [this](Result<void> taken) {
      if (taken) return;
      const auto ms = (world_.clock().now() - start_).count();
      history_ += fmt::format("{:.1f} refused {}: {}\n", double(ms) / 1000, taken.error().code,
                              taken.error().message);
    });
  }

  /// Nothing is open and no action is left: only the sleepers' own alarm would go on.
  bool quiet_since_end() {
    const bool all_acted =
        scenario_.actions.empty() || world_.clock().now() > start_ + scenario_.actions.back().at;
    return !history_.empty() && open_.empty() && all_acted && world_.is_quiet();
  }

  const Scenario& scenario_;
  const std::function<std::unique_ptr<ports::Store>()>& open_store_;
  VirtualWorld world_;
  const TimePoint start_ = world_.clock().now();
  SeededRng rng_{7};
  WaitingEvaluator evaluator_;
  const ExecutionId root_ = derive_uuid<ExecutionId>("scenario");
  std::set<ExecutionId> open_;
  std::string history_;
  Process process_;
};

}  // namespace

std::string run_in_runtime(const Scenario& scenario,
                           const std::function<std::unique_ptr<ports::Store>()>& open_store) {
  return RuntimeDriver(scenario, open_store).run();
}

}  // namespace fp::tests

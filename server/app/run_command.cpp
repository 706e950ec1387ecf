#include "app/run_command.hpp"

#include "app/documents.hpp"
#include "app/files.hpp"
#include "app/host.hpp"
#include "app/progress.hpp"
#include "app/signals.hpp"
#include "app/task_gate.hpp"
#include "app/task_options.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "base/log.hpp"
#include "runtime/execution_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <pthread.h>

namespace fp::app {

namespace {

constexpr Milliseconds kGrace{5'000};

/// What the waiting main thread is told by the strands.
class Outcome {
 public:
  void expect(const ExecutionId& id) {
    const std::lock_guard lock(mutex_);
    open_.push_back(id);
  }
  void ended(const engine::ExecutionState& state) {
    const std::lock_guard lock(mutex_);
    resources_.push_back(runtime::to_resource(state));
    failed_ = failed_ || state.status != model::ExecutionStatus::completed;
    std::erase(open_, state.id);
    changed_.notify_all();
  }
  /// Set aside: it will not end by itself.
  void parked(const ExecutionId& id) {
    const std::lock_guard lock(mutex_);
    failed_ = failed_ || std::erase(open_, id) > 0;
    changed_.notify_all();
  }
  void failed(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
    changed_.notify_all();
  }
  void interrupt() {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }
  enum class End { done, failed, interrupted };
  End wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return error_ || interrupted_ || open_.empty(); });
    return error_ ? End::failed : open_.empty() ? End::done : End::interrupted;
  }
  const std::optional<Error>& error() const { return error_; }
  const std::vector<Json>& resources() const { return resources_; }
  const std::vector<ExecutionId>& open() const { return open_; }
  bool any_failed() const { return failed_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ExecutionId> open_;
  std::vector<Json> resources_;
  std::optional<Error> error_;
  bool failed_ = false;
  bool interrupted_ = false;
};

/// Progress, and the answers to approvals that were given on the command line.
class RunObserver final : public runtime::Observer {
 public:
  RunObserver(Progress& progress, Outcome& outcome, const RunOptions& options, std::string data_dir)
      : progress_(progress), outcome_(outcome), options_(options), data_dir_(std::move(data_dir)) {}
  void attach(runtime::Runtime& runtime) { runtime_ = &runtime; }

  void on_recorded(const runtime::Recorded& recorded) override {
    const auto& state = recorded.state;
    progress_.on_recorded(recorded);
    for (const auto& event : recorded.events) {
      if (std::holds_alternative<model::event::ExecutionPaused>(event)) outcome_.parked(state.id);
      const auto* waiting = std::get_if<model::event::TaskWaiting>(&event);
      if (waiting != nullptr && waiting->kind == model::WaitKind::approval) answer(state, *waiting);
    }
  }
  void on_started(const engine::ExecutionState& state, model::TaskRef task, TimePoint at) override {
    progress_.on_started(state, task, at);
  }
  void on_log(const runtime::Logged& logged) override { progress_.on_log(logged); }

 private:
  void answer(const engine::ExecutionState& state, const model::event::TaskWaiting& waiting) {
    const auto& id = state.workflow->steps[waiting.task.step].id;
    const auto listed = [&](const std::vector<std::string>& ids) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    const bool approved = listed(options_.approve);
    if (!approved && !listed(options_.reject)) {
      fmt::print(
          stderr,
          "  {} waits for a decision: stop this with Ctrl-C, then: flowpilot run --resume {} --approve {} "
          "--data-dir {} (or --reject)\n",
          id, to_string(state.id), id, data_dir_);
      return;
    }
    const char* user = std::getenv("USER");
    engine::input::ApprovalDecided decided{
        waiting.task, approved,
        make_value(JsonObject{{"approved", approved},
                              {"by", user == nullptr ? "command line" : user},
                              {"comment", ""},
                              {"data", nullptr}})};
    runtime_->deliver(state.id, std::move(decided), {});
  }

  Progress& progress_;
  Outcome& outcome_;
  const RunOptions& options_;
  std::string data_dir_;
  runtime::Runtime* runtime_ = nullptr;
};

Result<Json> read_input(const RunOptions& options, const model::Workflow& workflow) {
  Json input = JsonObject();
  if (!options.input_file.empty()) {
    const auto text = read_file(options.input_file, 16u << 20);
    if (!text) return text.error();
    auto parsed = parse_json(*text, {.max_bytes = 16u << 20});
    if (!parsed)
      return Error(parsed.error().code, fmt::format("{}: {}", options.input_file, parsed.error().message),
                   false);
    input = std::move(*parsed);
  }
  auto pairs = read_pairs(options.input_pairs, workflow.inputs, "--input");
  if (!pairs) return pairs.error();
  if (pairs->get_object().empty()) return input;
  if (!input.is_object())
    return Error(codes::usage_pair, "--input NAME=VALUE needs an object in the input file, not " +
                                        std::string(json_type_name(input)));
  for (const auto& member : pairs->get_object())
    input.get_object().insert_or_assign(member.key(), member.value());
  return input;
}

class RunSession {
 public:
  RunSession(const RunOptions& options, const Settings& settings)
      : options_(options),
        settings_(settings),
        progress_(Progress::detect()),
        observer_(progress_, outcome_, options, settings.data_dir().string()) {}

  ExitCode run() {
    HostOptions host;
    host.data_dir = settings_.data_dir();
    host.tasks = make_task_options(settings_, true);
    host.worker_threads = settings_.count("worker_threads");
    host.runtime.lease_ttl = std::chrono::seconds(settings_.count("lease_seconds"));
    host.runtime.keep_awake = std::chrono::hours(24 * 365 * 100);  // nobody else would wake what sleeps
    host.observer = &observer_;
    host.on_failure = [this](const Error& error) { outcome_.failed(error); };
    // Which functions there are is known once their worker is there.
    const bool has_functions = options_.gate_fd >= 0 || !settings_.text("tasks").empty();
    set_log_level(LogLevel::warning);  // people read this: progress, not how the worker is
    if (!options_.resume && !has_functions) {
      sandbox::SandboxedEvaluator evaluator;
      auto loaded =
          load_workflow(options_.file, make_registry(host.tasks, clock_), make_syntax_check(evaluator));
      if (!loaded) return report(loaded.error());
      document_ = (*loaded)->document;
    }
    auto opened = Host::open(std::move(host));
    if (!opened) return report(opened.error());
    host_ = std::move(*opened);
    if (!host_->warning().empty()) fmt::print(stderr, "flowpilot: {}\n", host_->warning());
    observer_.attach(host_->runtime());
    const auto ready = has_functions ? prepare_functions() : Result<void>();
    const auto begun = !ready ? ready : options_.resume ? resume() : start();
    if (!begun) {
      stop();
      return report(begun.error());
    }
    return finish();
  }

 private:
  Result<void> prepare_functions() {
    auto gate = options_.gate_fd >= 0 ? TaskGate::open_for_caller(*host_, options_.gate_fd)
                                      : TaskGate::open(*host_, settings_);
    if (!gate) return gate.error();
    gate_ = std::move(*gate);
    for (const auto& worker : host_->workers().list_workers()) {
      for (const auto& problem : worker.registration.problems.as_array())
        fmt::print(stderr, "flowpilot: {} can not be imported: {}\n{}\n", json_string(problem, "module"),
                   json_string(problem, "title"), json_string(problem, "traceback"));
    }
    if (options_.resume) return {};
    auto loaded = load_workflow(options_.file, host_->types(), make_syntax_check(host_->evaluator()));
    if (!loaded) return loaded.error();
    document_ = (*loaded)->document;
    return override_steps(**loaded);
  }

  /// Everything about those steps but their work stays: conditions, retries, time-outs.
  Result<void> override_steps(const model::Workflow& workflow) {
    for (const auto& id : options_.overrides) {
      const auto step = std::ranges::find(workflow.steps, id, &model::Step::id);
      if (step == workflow.steps.end())
        return Error(codes::usage_pair, fmt::format("there is no step {} to override", id));
      if (step->type->decided_in_engine)
        return Error(
            codes::usage_pair,
            fmt::format("step {} can not be overridden: the engine decides {} steps", id, step->type->type));
      auto& steps = document_.at("steps").get_array();
      steps[static_cast<std::size_t>(step - workflow.steps.begin())].get_object()["step_type"] =
          "override." + id;
    }
    return {};
  }

  void stop() {
    gate_.reset();
    host_->stop();
  }

  Result<void> start() {
    auto workflow = model::read_workflow(document_, host_->types());
    if (!workflow) return workflow.error();
    auto input = read_input(options_, **workflow);
    if (!input) return input.error();
    if (const auto fits = model::check_input(**workflow, *input); !fits) return fits.error();
    auto vars = read_pairs(options_.vars, nullptr, "--var");
    if (!vars) return vars.error();
    if (const auto kept = keep_children(**workflow); !kept) return kept.error();

    runtime::StartRequest request;
    request.id = host_->runtime().make_id();
    request.workflow = *workflow;
    request.started.workflow_name = (*workflow)->name;
    request.started.version_hash = (*workflow)->hash;
    request.started.input = make_value(std::move(*input));
    request.started.vars = make_value(std::move(*vars));
    request.started.seed = host_->runtime().draw_seed();
    request.started.trigger = "manual";
    const auto id = request.id;
    progress_.follow(id);
    outcome_.expect(id);
    host_->runtime().start_execution(std::move(request),
                                     [this](Result<const engine::ExecutionState*> started) {
                                       if (!started) outcome_.failed(started.error());
                                     });
    watch(id);
    return send_signals(id);
  }

  /// Child workflows run by name, so their documents must be in the store before the parent starts.
  Result<void> keep_children(const model::Workflow& workflow) {
    auto children = find_children(options_.file, workflow, host_->types());
    for (const auto& path : options_.with) {
      auto child = load_workflow(path, host_->types(), {});
      if (!child) return child.error();
      children.push_back(*child);
    }
    if (children.empty()) return {};
    ports::Batch batch;
    batch.fence = host_->runtime().fence();
    for (const auto& child : children)
      batch.versions.push_back(runtime::to_version(*child, host_->clock().now()));
    const auto committed = host_->store().commit(batch);
    if (!committed) return committed.error();
    return {};
  }

  Result<void> send_signals(const ExecutionId& id) {
    for (const auto& text : options_.signals) {
      auto pair = split_pair(text, "--signal");
      if (!pair) return pair.error();
      auto payload = parse_json(pair->second);
      host_->runtime().deliver(
          id,
          engine::input::Signal{pair->first, make_value(payload ? std::move(*payload) : Json(pair->second))},
          [](Result<void> taken) {
            if (!taken)
              fmt::print(stderr, "flowpilot: the signal was not taken: {}\n", taken.error().message);
          });
    }
    return {};
  }

  Result<void> resume() {
    std::vector<ports::ExecutionSummary> unfinished;
    if (!options_.resume_id.empty()) {
      const auto id = parse_uuid<ExecutionId>(options_.resume_id);
      if (!id) return id.error();
      const auto summary = host_->store().find_execution(*id);
      if (!summary)
        return Error(
            codes::execution_unknown,
            fmt::format("there is no execution {} in {}", options_.resume_id, settings_.data_dir().string()));
      unfinished.push_back(*summary);
    } else {
      std::optional<std::uint64_t> before;
      do {
        auto page = host_->store().list_executions({.unfinished_only = true}, before, 1000);
        std::move(page.items.begin(), page.items.end(), std::back_inserter(unfinished));
        before = page.next;
      } while (before);
    }
    if (unfinished.empty())
      fmt::print(stderr, "nothing is unfinished in {}\n", settings_.data_dir().string());
    for (const auto& summary : unfinished) {
      if (const auto taken = resume_one(summary); !taken) return taken;
    }
    return {};
  }

  Result<void> resume_one(const ports::ExecutionSummary& summary) {
    const bool by_name = !options_.resume_id.empty();
    if (summary.status == "paused" && !by_name) {
      fmt::print(stderr, "{} of \"{}\" is paused ({}); name it to go on: flowpilot run --resume {}\n",
                 to_string(summary.id), summary.workflow_name,
                 summary.error_message.empty() ? "by hand" : summary.error_message, to_string(summary.id));
      return {};
    }
    progress_.follow(summary.id);
    outcome_.expect(summary.id);
    host_->runtime().recover(summary.id);
    if (summary.status == "paused") host_->runtime().deliver(summary.id, engine::input::Resume{}, {});
    if (!options_.approve.empty() || !options_.reject.empty()) decide_waiting(summary.id);
    watch(summary.id);
    return send_signals(summary.id);
  }

  /// Approvals that an earlier process asked for.
  void decide_waiting(const ExecutionId& id) {
    const auto loaded = host_->runtime().journal().load(id);
    if (!loaded) return;
    const auto& state = loaded->state;
    for (model::StepIndex i = 0; i < state.steps.size(); ++i) {
      const auto& task = state.steps[i].task;
      if (task.status != model::TaskStatus::waiting || task.wait != model::WaitKind::approval) continue;
      model::event::TaskWaiting waiting;
      waiting.task = {i, model::kNoItem};
      waiting.kind = model::WaitKind::approval;
      waiting.data = task.wait_data;
      const std::vector<engine::Event> events{waiting};
      observer_.on_recorded({state, events, state.last_seq, host_->clock().now()});
    }
  }

  void watch(const ExecutionId& id) {
    host_->runtime().watch_end(
        id, [this](const engine::ExecutionState& state) { outcome_.ended(state); },
        [this, id] {
          outcome_.failed(
              Error(codes::execution_unknown, fmt::format("execution {} has vanished", to_string(id))));
        });
  }

  ExitCode finish() {
    const SignalWatch signals([this](int) { outcome_.interrupt(); });
    const auto end = outcome_.wait();
    if (end == Outcome::End::failed) {
      stop();
      return report(*outcome_.error());
    }
    if (end == Outcome::End::interrupted) return give_up();
    stop();
    print_result();
    return outcome_.any_failed() ? kExecutionFailed : kOk;
  }

  ExitCode give_up() {
    fmt::print(stderr, "stopping; attempts under way have {} to finish (Ctrl-C again to leave at once)\n",
               to_display_text(kGrace));
    host_->wait_for_attempts(kGrace);
    stop();
    for (const auto& id : outcome_.open()) {
      fmt::print(stderr, "go on with: flowpilot run --resume {} --data-dir {}\n", to_string(id),
                 settings_.data_dir().string());
    }
    return kInterrupted;
  }

  void print_result() const {
    const auto& resources = outcome_.resources();
    if (options_.json_output) {
      const bool one = resources.size() == 1;
      std::puts(to_pretty_text(one ? resources.front() : Json(JsonArray(resources.begin(), resources.end())))
                    .c_str());
      return;
    }
    for (const auto& resource : resources) {
      const auto& output = resource.at("output");
      if (!output.is_null()) std::puts(to_pretty_text(output).c_str());
    }
  }

  const RunOptions& options_;
  const Settings& settings_;
  SystemClock clock_;
  Progress progress_;
  Outcome outcome_;
  RunObserver observer_;
  Json document_;  // checked, before anything is opened
  std::unique_ptr<Host> host_;
  std::unique_ptr<TaskGate> gate_;
};

}  // namespace

ExitCode run_command(const RunOptions& options, const Settings& settings) {
  return RunSession(options, settings).run();
}

}  // namespace fp::app

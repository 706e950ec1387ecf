#include "app/host.hpp"

#include "app/isolation.hpp"
#include "base/json_parse.hpp"
#include "engine/steps/step.hpp"
#include "launcher/launcher.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <future>
#include <thread>
#include <unistd.h>

namespace fp::app {

model::TaskTypeRegistry make_registry(const tasks::TaskOptions& options, const Clock& clock) {
  model::TaskTypeRegistry types;
  engine::register_engine_steps(types);
  for (const auto& handler : tasks::make_builtin_handlers(options, clock)) types.add(handler->spec());
  return types;
}

model::SyntaxCheck make_syntax_check(ports::ExpressionEvaluator& evaluator) {
  return [&evaluator](const std::vector<std::string>& sources) {
    std::vector<std::optional<model::ExpressionProblem>> out;
    for (auto& problem : evaluator.check_syntax(sources)) {
      if (problem)
        out.emplace_back(model::ExpressionProblem{problem->line, problem->column, problem->message});
      else
        out.emplace_back(std::nullopt);
    }
    return out;
  };
}

Host::Host(HostOptions options) : code_(options.tasks.code) {
  engine::register_engine_steps(types_);
  options.tasks.own_ports = own_ports_;
  auto handlers = tasks::make_builtin_handlers(options.tasks, clock_);
  for (const auto& handler : handlers) types_.add(handler->spec());
  runtime::LocalWorkerOptions worker;
  worker.threads = options.worker_threads;
  worker_ = std::make_unique<runtime::LocalWorker>(std::move(handlers), clock_, worker);
}

Result<std::unique_ptr<Host>> Host::open(HostOptions options) {
  auto store = store::SqliteStore::open(options.data_dir);
  if (!store) return store.error();
  auto observer = options.observer;
  auto on_failure = std::move(options.on_failure);
  auto on_commit = std::move(options.on_commit);
  const auto limits = options.runtime;
  std::unique_ptr<Host> host(new Host(std::move(options)));
  host->warning_ = (*store)->open_warning().value_or("");
  host->store_ = std::move(*store);
  host->commit_loop_ = std::make_unique<runtime::ThreadLoop>("commit", host->clock_);
  host->hub_loop_ = std::make_unique<runtime::ThreadLoop>("workers", host->clock_);
  workers::HubOptions hub;
  hub.lease_ttl = limits.lease_ttl;
  hub.heartbeat = limits.lease_ttl / 3;
  host->hub_ =
      std::make_unique<workers::WorkerHub>(host->types_, *host->hub_loop_, host->clock_, host->rng_, hub);
  host->transports_ = std::make_unique<workers::WorkerTransports>(*host->worker_, *host->hub_);
  host->recall_functions();
  host->shard_loop_ = std::make_unique<runtime::ThreadLoop>("shard", host->clock_);
  runtime::RuntimePorts ports{*host->store_,         *host->commit_loop_, {host->shard_loop_.get()},
                              host->evaluator_,      *host->transports_,  host->types_,
                              host->clock_,          host->rng_,          observer,
                              std::move(on_failure), std::move(on_commit)};
  host->runtime_ = std::make_unique<runtime::Runtime>(std::move(ports), limits);
  host->runtime_->claim("pid " + std::to_string(getpid()));
  return host;
}

/// What workers registered with an earlier process, so that workflows that name it can be read at once.
void Host::recall_functions() {
  std::vector<Issue> issues;
  for (const auto& record : store_->list_task_types()) {
    auto function = model::read_function(parse_trusted_json(record.spec), "", issues);
    if (!types_.find(function.type)) types_.put(std::move(function));
  }
}

Json Host::isolation() const {
  const auto status = evaluator_.status();
  JsonObject out;
  for (std::size_t from = 0; from < status.layers.size();) {
    const auto to = std::min(status.layers.find(',', from), status.layers.size());
    out[status.layers.substr(from, to - from)] = true;
    from = to + 1;
  }
  std::call_once(code_probed_, [this] { code_isolation_ = probe_code_isolation(code_); });
  out["code"] = code_isolation_;
  return out;
}

void Host::deny_port(std::uint16_t port) {
  own_ports_->add(port);
}

void Host::wait_for_attempts(Milliseconds most) {
  constexpr Milliseconds kPause{20};
  runtime_->begin_shutdown();
  const auto until = clock_.steady_now() + most;
  while (clock_.steady_now() < until) {
    auto running = std::make_shared<std::promise<std::size_t>>();
    auto attempts = running->get_future();
    runtime_->count_load([running](runtime::Load load) { running->set_value(load.attempts); });
    if (attempts.get() == 0) return;
    std::this_thread::sleep_for(kPause);
  }
}

void Host::stop() {
  if (!shard_loop_) return;
  runtime_->begin_shutdown();
  runtime_->give_back_attempts();
  worker_->stop();
  evaluator_.stop();
  shard_loop_->stop();   // decides what is left to decide,
  commit_loop_->stop();  // commits it, and nobody is told any more
  hub_loop_->stop();
  runtime_.reset();
  commit_loop_.reset();
  shard_loop_.reset();
  store_.reset();
}

Host::~Host() {
  stop();
}

}  // namespace fp::app

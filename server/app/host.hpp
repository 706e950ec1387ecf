#pragma once

#include "app/settings.hpp"
#include "runtime/local_worker.hpp"
#include "runtime/runtime.hpp"
#include "runtime/thread_loop.hpp"
#include "sandbox/sandboxed_evaluator.hpp"
#include "tasks/address_guard.hpp"
#include "tasks/builtin.hpp"
#include "workers/worker_transports.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>

namespace fp::app {

struct HostOptions {
  std::filesystem::path data_dir;
  tasks::TaskOptions tasks;
  std::size_t worker_threads = 8;
  runtime::RuntimeOptions runtime;
  runtime::Observer* observer = nullptr;
  std::function<void(const Error&)> on_failure;
  std::function<void(std::chrono::nanoseconds, std::size_t)>
      on_commit;  // after each transaction, with its decisions
};

/// Task types, store, sandbox, worker and runtime of one process, made in this order and ended in the reverse
/// one. The list of members is the order of shutdown.
class Host {
 public:
  /// Opens the data directory. Errors: storage.*.
  static Result<std::unique_ptr<Host>> open(HostOptions options);
  ~Host();
  /// Ends everything in order; what still runs is given back first. Idempotent.
  void stop();

  /// No new attempts from here on; waits until those under way have ended, at most so long.
  void wait_for_attempts(Milliseconds most);
  /// Layers that hold around expressions, for people: {seccomp: true, ...}; around Python under `code`:
  /// {level, pid: true, cgroup: "v2", ...}.
  Json isolation() const;
  /// What is odd about the data directory: an older copy put in place, ... Empty when nothing is.
  const std::string& warning() const { return warning_; }
  /// A port of this process's own that no step may reach.
  void deny_port(std::uint16_t port);

  /// Of a built-in task type; null when there is no such type.
  ports::TaskHandler* find_handler(const std::string& type) const { return worker_->find_handler(type); }
  runtime::Runtime& runtime() { return *runtime_; }
  ports::ExpressionEvaluator& evaluator() { return evaluator_; }
  Rng& rng() { return rng_; }
  workers::WorkerHub& workers() { return *hub_; }
  ports::Store& store() { return *store_; }
  const model::TaskTypeRegistry& types() const { return types_; }
  const Clock& clock() const { return clock_; }

 private:
  explicit Host(HostOptions options);
  void recall_functions();

  const std::shared_ptr<tasks::OwnPorts> own_ports_ = std::make_shared<tasks::OwnPorts>();
  std::string warning_;
  const tasks::CodeOptions code_;
  mutable std::once_flag code_probed_;
  mutable Json code_isolation_;
  SystemClock clock_;
  SystemRng rng_;
  model::TaskTypeRegistry types_;
  std::unique_ptr<ports::Store> store_;
  sandbox::SandboxedEvaluator evaluator_;
  std::unique_ptr<runtime::LocalWorker> worker_;
  std::unique_ptr<runtime::ThreadLoop> hub_loop_;
  std::unique_ptr<workers::WorkerHub> hub_;
  std::unique_ptr<workers::WorkerTransports> transports_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<runtime::ThreadLoop> commit_loop_;
  std::unique_ptr<runtime::ThreadLoop> shard_loop_;
};

/// Every task type of this build, for checking documents without a host.
model::TaskTypeRegistry make_registry(const tasks::TaskOptions& options, const Clock& clock);
/// Syntax of JavaScript, asked of the sandbox.
model::SyntaxCheck make_syntax_check(ports::ExpressionEvaluator& evaluator);

}  // namespace fp::app

#pragma once

#include "process.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fp::simulation {

/// Everybody outside: starts, signals, approves, cancels, pauses, resumes and retries at random times, and
/// remembers what was acknowledged. Every acknowledgement is held against the disk at the moment it comes.
class Client {
 public:
  Client(Machine& machine, std::vector<std::shared_ptr<const model::Workflow>> workflows)
      : m_(machine), workflows_(std::move(workflows)) {}

  void start_something(Process& process);
  void disturb_something(Process& process);
  /// Moves on what waits for somebody: decides, signals, resumes. True when nothing is unfinished.
  bool settle_everything(Process& process);
  /// Everything acknowledged is still there.
  void check_acknowledged(Process& process) const;

 private:
  struct Key {
    std::string text;
    Hash256 request{};
    std::size_t workflow = 0;
    std::vector<ExecutionId> tried;
    std::optional<ExecutionId> acknowledged;
  };
  using Check = std::function<void(const Seen& seen)>;

  void start(Process& process, std::size_t key);
  void on_started(Process& process, std::size_t key, const ExecutionId& id,
                  const Result<const engine::ExecutionState*>& started);
  void send(Process& process, const Seen& seen, engine::Input input, const std::string& what, Check check);
  void send_signal(Process& process, const Seen& seen, const std::string& name);
  void decide(Process& process, const Seen& seen, model::TaskRef task);
  void watch(Process& process, const Seen& seen);
  std::optional<model::TaskRef> find_waiting(const Seen& seen, model::WaitKind kind) const;

  Machine& m_;
  std::vector<std::shared_ptr<const model::Workflow>> workflows_;
  std::vector<Key> keys_;
  std::uint64_t tokens_ = 0;
  std::vector<std::pair<ExecutionId, std::string>> acknowledged_tokens_;
};

}  // namespace fp::simulation

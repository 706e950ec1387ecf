#pragma once

#include "auditor.hpp"
#include "ports/loop.hpp"
#include "ports/worker_transport.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>

namespace fp::simulation {

/// What the outside world saw: which attempts had an effect, by idempotency key. Outlives every process.
class EffectSink {
 public:
  void record(const std::string& key, const ExecutionId& execution, std::uint32_t attempt) {
    effects_[key].emplace_back(execution, attempt);
  }
  const auto& all() const { return effects_; }

 private:
  std::map<std::string, std::vector<std::pair<ExecutionId, std::uint32_t>>> effects_;
};

/// Workers that finish, fail, are slow, vanish, answer twice or too late, and refuse work, as the dice fall.
/// Every attempt they are given is checked against what is on disk.
class SimulatedWorkers final : public ports::WorkerTransport {
 public:
  struct World {
    ports::Loop& loop;
    const Clock& clock;
    Dice& dice;
    Tally& tally;
    const Auditor& auditor;
    EffectSink& sink;
    const bool& calm;    // no more faults
    const bool& zombie;  // another process has taken over
    Milliseconds lease_ttl;
    Milliseconds timeout_grace;
  };
  explicit SimulatedWorkers(World world) : w_(world) {}

  ports::Dispatched dispatch(ports::LeaseId lease, ports::AttemptRequest request, Sink& sink) override;
  void cancel(ports::LeaseId lease, Sink& sink) override;
  std::size_t count_held() const { return held_.size(); }

 private:
  struct Held {
    std::string key;
    SteadyPoint since{};
    Milliseconds timeout{};
    bool silent = false;
    bool queued = false;  // no worker has it: it may wait as long as it takes
    bool ended = false;   // has reported, or was cancelled
  };
  using Key = std::pair<Sink*, ports::LeaseId>;

  void check(const ports::AttemptRequest& request) const;
  void behave(const std::shared_ptr<Held>& held, ports::LeaseId lease, const ports::AttemptRequest& request,
              Sink& sink);
  void queue(const std::shared_ptr<Held>& held, ports::LeaseId lease, ports::AttemptRequest request,
             Sink& sink);
  void report_after(Milliseconds delay, const std::shared_ptr<Held>& held, ports::LeaseId lease,
                    Result<Json> outcome, Sink& sink, bool even_if_cancelled);
  void beat(const std::shared_ptr<Held>& held, ports::LeaseId lease, Sink& sink);

  World w_;
  std::map<Key, std::shared_ptr<Held>> held_;
};

}  // namespace fp::simulation

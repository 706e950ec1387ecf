#pragma once

#include "base/unique_function.hpp"
#include "ports/loop.hpp"
#include "ports/worker_transport.hpp"
#include "workers/attempt_queue.hpp"
#include "workers/messages.hpp"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace fp::workers {

struct HubOptions {
  Milliseconds lease_ttl{15'000};     // as the runtime has it; told to workers
  Milliseconds heartbeat{5'000};      // how often workers renew
  std::size_t most_workers = 1'000;   // more are refused
  std::size_t most_queued = 100'000;  // attempts that wait for a worker; more stay with their shard
  std::size_t most_parked = 4;  // requests of one worker that wait; an older one is answered with nothing
};

/// Attempts of functions and the workers that carry them out: who is there, what waits, who has which lease.
/// Transport for the runtime, protocol for the workers. Nothing here is durable and nothing needs to be: a
/// lease that this process does not know is lost, and its attempt runs again. Thread-safe; nobody is called
/// with the lock held. Stop the loop before it is destroyed.
class WorkerHub final : public ports::WorkerTransport {
 public:
  using Answered = UniqueFunction<void(Result<ExchangeAnswer>)>;

  WorkerHub(model::TaskTypeRegistry& types, ports::Loop& loop, const Clock& clock, Rng& rng,
            HubOptions options = {});

  ports::Dispatched dispatch(ports::LeaseId lease, ports::AttemptRequest request, Sink& sink) override;
  void cancel(ports::LeaseId lease, Sink& sink) override;

  /// Takes the worker in and its functions into the registry. Errors: worker.type_conflict,
  /// server.overloaded.
  Result<WorkerId> enroll(Registration registration);
  /// Answers as docs/reference/worker-protocol.md says, from any thread. Error: worker.unknown.
  void exchange(const WorkerId& worker, Exchange request, Answered answer);
  /// Reports and logs of a worker that only names its leases.
  void exchange(Exchange request, Answered answer);
  /// No more leases for it. False when there is no such worker.
  bool drain(const WorkerId& worker);
  /// It is gone: what it has is lost at once. False when there is no such worker.
  bool remove(const WorkerId& worker);
  /// The same for whatever registered with this name and process id: its process ended.
  void remove_process(const std::string& name, std::uint64_t pid);

  bool knows_process(const std::string& name, std::uint64_t pid) const;
  /// No more leases for it: its successor is there.
  void drain_process(const std::string& name, std::uint64_t pid);
  /// The process ends: nothing is granted from now on, requests that wait or would wait are refused with
  /// server.draining; reports are taken as before.
  void close();

  std::vector<WorkerView> list_workers() const;
  std::vector<QueueView> list_queues() const;
  /// How many workers carry this type out now.
  std::size_t count_workers(const std::string& type) const;
  std::size_t count_queued() const;
  const HubOptions& options() const { return options_; }

 private:
  struct Parked {
    std::uint32_t max = 0;
    SteadyPoint until{};
    Answered answer;
    std::shared_ptr<const std::atomic<bool>> is_gone;
  };
  struct Worker {
    WorkerId id;
    Registration registration;
    std::vector<std::string> types;  // those it may take, by its queues
    TimePoint registered_at{};
    TimePoint last_seen_at{};
    SteadyPoint last_seen{};
    bool draining = false;
    std::unordered_set<std::string> leases;
    std::vector<std::string> cancelled;  // not told yet
    std::deque<Parked> parked;
    std::size_t recordings = 0;  // its exchanges with reports under way: their answers bring leases
  };
  struct Leased {
    AttemptKey key;
    Worker* worker = nullptr;
    std::string concurrency;  // "" = not limited
    LeaseView view;
    std::string task;  // names the task over its attempts
    std::shared_ptr<ports::AttemptControl> log;
  };
  /// An exchange whose reports are being recorded.
  struct Recording;
  /// What is to be done once the lock is released.
  struct Later {
    std::vector<UniqueFunction<void()>> jobs;
    void run() {
      for (auto& job : jobs) job();
    }
  };

  Worker* find_worker(const WorkerId& id);
  Result<void> check_conflicts(const Registration& registration) const;
  void touch(Worker& worker);
  void take_in(Exchange& request, const std::shared_ptr<Recording>& recording, Later& later);
  void tell_missing(const std::string& lease, ExchangeAnswer& answer);
  void on_settled(const std::shared_ptr<Recording>& recording, const std::string& lease,
                  ports::ReportFate fate);
  void finish(const std::shared_ptr<Recording>& recording);
  bool fill(Worker& worker, std::uint32_t max, ExchangeAnswer& answer, Later& later);
  bool grant_one(Worker& worker, ExchangeAnswer& answer, Later& later);
  std::string concurrency_of(const QueuedAttempt& attempt) const;
  bool may_run(const QueuedAttempt& attempt) const;
  void end_lease(const std::string& lease);
  void give_up(const std::string& lease);
  std::optional<AttemptKey> take_given_up(const std::string& lease);
  void drop_worker(const WorkerId& id, Later& later);
  bool wants_work(const Worker& worker) const;
  static void forget_gone(Worker& worker);
  void wake_parked();
  void hand_out();
  void sweep();
  static Error closing();
  void remember_done(const std::string& lease);
  void remember_details(const std::string& task, const Json& details);

  model::TaskTypeRegistry& types_;
  ports::Loop& loop_;
  const Clock& clock_;
  Rng& rng_;
  const HubOptions options_;
  const std::string boot_;  // names this process in leases
  mutable std::mutex mutex_;
  // All below guarded by mutex_.
  AttemptQueue queue_;
  std::map<WorkerId, Worker> workers_;
  std::unordered_map<std::string, Leased> leases_;
  std::unordered_map<AttemptKey, std::string, AttemptKeyHash> by_key_;
  std::unordered_map<std::string, std::unordered_set<std::string>> by_concurrency_;
  std::unordered_set<std::string> recording_;  // reported, not yet on disk
  std::unordered_set<std::string> done_;       // on disk, the newest 10,000
  std::deque<std::string> done_order_;
  std::unordered_map<std::string, AttemptKey> given_up_;  // the newest 10,000, for results that still come
  std::deque<std::string> given_up_order_;
  std::unordered_map<std::string, Json> details_;  // by task, of the newest 10,000 that said any
  std::deque<std::string> details_order_;
  std::uint64_t last_lease_ = 0;
  bool closed_ = false;
  bool hand_out_posted_ = false;
  bool sweep_posted_ = false;
};

}  // namespace fp::workers

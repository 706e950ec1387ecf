#pragma once

#include "api/scheduler.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fp::api {

/// Which ticks of the past are to start something after all.
struct BackfillPlan {
  std::vector<triggers::Tick> ticks;  // in their order, those that have an execution left out
  std::size_t started_before = 0;     // those
  bool is_whole = true;               // no more than kMostTicks are in the range
  static constexpr std::size_t kMostTicks = 10'000;
};
/// Ticks in [from, until]. Blocks.
BackfillPlan plan_backfill(ports::Store& store, const Scheduler::View& view, TimePoint from, TimePoint until);

/// Starts an execution for each tick of a plan, one after the other. A tick that has an execution by now gets
/// no other, so that a range that was ordered again, after a restart too, goes on with what is left: the job
/// itself is not on disk. Has a thread of its own. Thread-safe.
class Backfill {
 public:
  struct Order {
    ExecutionId id;
    Scheduler::View view;
    std::shared_ptr<const model::Workflow> document;
    BackfillPlan plan;
    bool waits = true;  // for the end of each before the next
  };
  Backfill(Services& services, Order order);
  ~Backfill();
  void stop();
  bool is_done() const;
  const Order& order() const { return order_; }
  Json to_resource() const;

 private:
  void run();
  bool carry_out(triggers::Tick tick);
  enum class Outcome { started, was_there, refused, again };
  Outcome start_one(triggers::Tick tick);
  void wait_for_end(const ExecutionId& id);

  Services& s_;
  const Order order_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t done_ = 0;  // guarded by mutex_, as all below
  std::size_t started_ = 0;
  std::size_t was_there_ = 0;
  std::size_t refused_ = 0;
  std::string last_error_;
  bool is_stopping_ = false;
  std::thread thread_;
};

/// The newest 100 of this process, of which four run at once. Thread-safe.
class Backfills {
 public:
  ~Backfills() { stop(); }
  std::shared_ptr<Backfill> find(const ExecutionId& id) const;
  std::vector<std::shared_ptr<Backfill>> list() const;
  /// Error server.overloaded: four run already. One of the same id is given back.
  Result<std::shared_ptr<Backfill>> start(Services& services, Backfill::Order order);
  /// Ends those that run. Idempotent.
  void stop();

 private:
  mutable std::mutex mutex_;
  std::map<ExecutionId, std::shared_ptr<Backfill>> all_;  // guarded by mutex_; ids sort by age
};

void install_backfills(Router& router, Services& services, Scheduler& scheduler, Backfills& backfills);

}  // namespace fp::api

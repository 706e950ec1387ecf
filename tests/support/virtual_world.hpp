#pragma once

#include "base/random.hpp"
#include "ports/loop.hpp"

#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace fp::tests {

class VirtualClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  SteadyPoint steady_now() const override { return SteadyPoint(steady_); }
  void advance(Milliseconds passed) {
    now_ += passed;
    steady_ += passed;
  }
  /// Somebody sets the wall clock; no time passes.
  void jump(Milliseconds by) { now_ += by; }

 private:
  TimePoint now_{Milliseconds(1'760'000'000'000)};
  Milliseconds steady_{1'000'000};
};

class VirtualLoop;

/// All loops of a simulated process on one thread. Jobs run in the order of posting, or, with a random
/// source, in any order that keeps each loop's own; time moves on only when nothing is ready.
class VirtualWorld {
 public:
  explicit VirtualWorld(Rng* shuffle = nullptr) : shuffle_(shuffle) {}
  std::unique_ptr<VirtualLoop> make_loop();
  VirtualClock& clock() { return clock_; }
  /// Runs one job; moves time on when none is ready. False when there is nothing left to do before `until`.
  bool step(TimePoint until);
  /// Drops every job: the process has died.
  void drop_everything();
  std::uint64_t steps() const { return steps_; }
  /// No job is ready; only time can bring one.
  bool is_quiet() const;

 private:
  friend class VirtualLoop;
  bool pass_time(TimePoint until);
  using Job = ports::Loop::Job;
  VirtualClock clock_;
  Rng* shuffle_;
  std::vector<VirtualLoop*> loops_;
  std::multimap<TimePoint, std::pair<VirtualLoop*, Job>> timed_;
  std::multimap<SteadyPoint, std::pair<VirtualLoop*, Job>> delayed_;
  std::uint64_t order_ = 0;
  std::uint64_t steps_ = 0;
};

class VirtualLoop final : public ports::Loop {
 public:
  explicit VirtualLoop(VirtualWorld& world) : world_(world) {}
  ~VirtualLoop() override;
  void post(Job job) override { ready_.emplace_back(world_.order_++, std::move(job)); }
  void post_at(TimePoint when, Job job) override {
    world_.timed_.emplace(when, std::pair(this, std::move(job)));
  }
  void post_after(Milliseconds delay, Job job) override {
    world_.delayed_.emplace(world_.clock_.steady_now() + delay, std::pair(this, std::move(job)));
  }
  /// Forgets every job of this loop: its process has died.
  void drop();

 private:
  friend class VirtualWorld;
  VirtualWorld& world_;
  std::deque<std::pair<std::uint64_t, Job>> ready_;
};

}  // namespace fp::tests

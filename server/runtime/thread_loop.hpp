#pragma once

#include "ports/loop.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace fp::runtime {

/// A loop on a thread of its own. Takes everything posted in one go, so that the lock costs little under
/// load.
class ThreadLoop final : public ports::Loop {
 public:
  ThreadLoop(std::string name, const Clock& clock);
  ~ThreadLoop() override;
  void post(Job job) override;
  void post_at(TimePoint when, Job job) override;
  void post_after(Milliseconds delay, Job job) override;
  /// Runs what was posted before, then ends the thread. Idempotent; later posts are dropped.
  void stop();

 private:
  void run();
  void take_due();
  std::optional<Milliseconds> next_wait() const;

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> posted_;                  // guarded by mutex_
  std::multimap<TimePoint, Job> timed_;      // guarded by mutex_
  std::multimap<SteadyPoint, Job> delayed_;  // guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  std::thread thread_;
};

}  // namespace fp::runtime

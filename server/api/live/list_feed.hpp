#pragma once

#include "api/live/subscriber.hpp"
#include "runtime/observer.hpp"

#include <map>
#include <memory>
#include <vector>

namespace fp::api {

/// Changes of the list of executions: `{"type":"execution_update", ...summary}`, each with the next `seq` of
/// this process. Only the newest state of an execution goes out in a burst, and when more than kMostInABurst
/// change between two, a resync does instead: the client reads the list again. Lives on the hub's loop.
class ListFeed {
 public:
  static constexpr std::size_t kMostInABurst = 200;

  static bool changes_list(const runtime::Recorded& recorded);
  void join(std::shared_ptr<Subscriber> subscriber);
  void leave(const void* key);
  bool is_empty() const { return subscribers_.empty(); }
  void take(const ports::ExecutionSummary& summary);
  bool flush(SteadyPoint now);

 private:
  std::vector<std::shared_ptr<Subscriber>> subscribers_;
  std::map<ExecutionId, ports::ExecutionSummary> changed_;
  bool too_many_ = false;
  std::uint64_t seq_ = 0;
  SteadyPoint last_{};
};

}  // namespace fp::api

#pragma once

#include "api/services.hpp"
#include "ports/task_handler.hpp"
#include "triggers/poll_trigger.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fp::api {

/// Asks the sources of published workflows (a URL, a folder) and starts an execution for each item that was
/// not there before. Which items were there is on disk, a key each, taken in the transaction of the start:
/// an item starts one execution over any crash. What is there at the first look starts nothing, unless the
/// trigger wants it. A thread of its own; its other functions may be called from any thread.
class Poller {
 public:
  struct View {
    WorkflowId workflow;
    std::string workflow_name;
    std::uint32_t version = 0;
    triggers::PollTrigger trigger;
    std::shared_ptr<const model::Workflow> document;
    std::optional<TimePoint> last_at;  // of the last look
    TimePoint next_at{};
    std::optional<Error> error;  // of the last look
    std::size_t items = 0;       // that the last look saw
    std::uint64_t started = 0;   // executions, since this process began
  };

  explicit Poller(Services& services) : s_(services) {}
  ~Poller() { stop(); }

  /// A published workflow, when the server starts or the workflow was changed and that is on disk.
  void take_up(const KnownWorkflow& workflow);
  void start();
  /// Idempotent.
  void stop();
  std::vector<View> list() const;
  /// The items a source gives now, each as an execution would get it. Blocks; starts nothing.
  Result<std::vector<Json>> look(const triggers::PollTrigger& trigger);

 private:
  using Key = std::pair<WorkflowId, std::string>;
  struct Entry {
    View view;
    std::uint64_t generation = 0;
  };
  class Starts;

  void run();
  void poll(const Key& key, const Entry& entry);
  Result<std::size_t> start_new(const View& view, std::uint64_t& started);
  Result<Json> ask(const triggers::PollTrigger& trigger, const Json& config);
  Result<std::vector<Json>> list_items(const triggers::PollTrigger& trigger, const Json& reply) const;
  Result<std::string> key_of(const View& view, const std::string& source, const Json& item) const;

  Services& s_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Entry> entries_;                             // guarded by mutex_
  std::uint64_t generations_ = 0;                            // guarded by mutex_
  bool is_stopping_ = false;                                 // guarded by mutex_
  std::set<std::shared_ptr<ports::AttemptControl>> asking_;  // guarded by mutex_; what stop() cuts short
  std::thread thread_;
};

void install_polls(Router& router, Services& services, Poller& poller);

}  // namespace fp::api

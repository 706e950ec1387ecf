#pragma once

#include "api/services.hpp"
#include "triggers/event_trigger.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fp::api {

/// Hands out what was published: starts the workflows that subscribe to it, and wakes the executions that
/// wait for it. An event is on disk before anything comes of it and is handed out until everything that came
/// of it is on disk too; whoever was started already is not started again, so each subscriber hears of an
/// event once, over any crash. A thread of its own; its other functions may be called from any thread.
class EventHub final : public runtime::Observer {
 public:
  struct Subscription {
    WorkflowId workflow;
    std::string workflow_name;
    std::uint32_t version = 0;
    triggers::EventTrigger trigger;
    std::shared_ptr<const model::Workflow> document;
  };
  using SubscriptionPtr = std::shared_ptr<const Subscription>;

  explicit EventHub(Services& services) : s_(services) {}
  ~EventHub() override { stop(); }

  /// Takes up the subscriptions of a published workflow, when the server starts or the workflow was changed
  /// and that is on disk.
  void take_up(const KnownWorkflow& workflow);
  void start();
  /// Idempotent. What is under way is handed out again by the next process.
  void stop();
  std::vector<SubscriptionPtr> list() const;
  /// Since the event that waits longest was published; 0 when none does.
  double lag_seconds() const { return lag_seconds_; }
  std::uint64_t count_handled() const { return handled_; }

  void on_recorded(const runtime::Recorded&) override {}
  void on_events() override;

 private:
  class Round;
  void run();
  /// Is there more to do at once?
  bool hand_out_some();
  bool look_back_some();
  std::vector<SubscriptionPtr> find(const ports::PublishedEvent& event) const;
  void tell_runtime();

  Services& s_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<WorkflowId, std::vector<SubscriptionPtr>> by_workflow_;  // guarded by mutex_
  bool is_stopping_ = false;                                        // guarded by mutex_
  bool has_news_ = true;                                            // guarded by mutex_
  std::atomic<double> lag_seconds_ = 0;
  std::atomic<std::uint64_t> handled_ = 0;
  std::thread thread_;
};

/// As those who subscribe and those who wait get it.
JsonObject to_input(const ports::PublishedEvent& event);

void install_events(Router& router, Services& services, EventHub& hub);

}  // namespace fp::api

#pragma once

#include "api/live/execution_feed.hpp"
#include "api/live/list_feed.hpp"
#include "api/pool.hpp"
#include "net/handler.hpp"
#include "ports/loop.hpp"
#include "runtime/observer.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

namespace fp::api {

/// Tells WebSocket clients what is recorded: feeds of single executions and one of the list. What nobody
/// watches costs one look into a set. The feeds live on the hub's loop; watch() and leave() may be called
/// from any thread.
class Hub final : public runtime::Observer {
 public:
  Hub(runtime::Journal& journal, ports::Store& store, Pool& pool, ports::Loop& loop, const Clock& clock);

  /// A listener for one execution, resuming behind `after`, or for the list.
  std::unique_ptr<net::WebSocketListener> listen(const ExecutionId& id, std::optional<std::uint64_t> after);
  std::unique_ptr<net::WebSocketListener> listen_to_list();
  std::size_t count_subscribers() const { return subscribers_.load(std::memory_order_relaxed); }

  void on_recorded(const runtime::Recorded& recorded) override;
  void on_log(const runtime::Logged& logged) override;

  static constexpr std::size_t kMostSubscribers = 5'000;
  static constexpr std::size_t kMostHistory = 10'000;  // frames; a client that missed more gets a snapshot

 private:
  class ExecutionListener;
  class ListListener;
  bool admit(net::WebSocketPeer& peer);
  void watch(const ExecutionId& id, std::optional<std::uint64_t> after,
             std::shared_ptr<net::WebSocketPeer> peer);
  void leave(const ExecutionId& id, const void* key);
  bool is_watched(const ExecutionId& id);
  void load(const ExecutionId& id);
  void on_loaded(const ExecutionId& id, std::shared_ptr<std::optional<FoldedFeed>> folded,
                 std::optional<Error> failure);
  void take(const ExecutionId& id, LiveUpdate update);
  void schedule_flush();
  void flush();

  runtime::Journal& journal_;
  ports::Store& store_;
  Pool& pool_;
  ports::Loop& loop_;
  const Clock& clock_;
  std::atomic<std::size_t> subscribers_{0};
  std::atomic<std::size_t> watched_count_{0};
  std::mutex mutex_;
  std::unordered_set<ExecutionId> watched_;               // guarded by mutex_
  std::unordered_map<ExecutionId, ExecutionFeed> feeds_;  // on the loop, as all below
  ListFeed list_;
  std::atomic<bool> list_watched_{false};
  bool flush_scheduled_ = false;
};

}  // namespace fp::api

#include "api/live/hub.hpp"

#include "runtime/journal.hpp"

namespace fp::api {

/// Client messages mean nothing to these feeds; they are counted by the network side and dropped here.
class Hub::ExecutionListener final : public net::WebSocketListener {
 public:
  ExecutionListener(Hub& hub, ExecutionId id, std::optional<std::uint64_t> after)
      : hub_(hub), id_(id), after_(after) {}
  void on_open(std::shared_ptr<net::WebSocketPeer> peer) override {
    if (!hub_.admit(*peer)) return;
    key_ = peer.get();
    hub_.watch(id_, after_, std::move(peer));
  }
  void on_text(std::string_view) override {}
  void on_close() override {
    if (key_ == nullptr) return;
    hub_.subscribers_.fetch_sub(1, std::memory_order_relaxed);
    hub_.leave(id_, key_);
  }

 private:
  Hub& hub_;
  const ExecutionId id_;
  const std::optional<std::uint64_t> after_;
  const void* key_ = nullptr;
};

class Hub::ListListener final : public net::WebSocketListener {
 public:
  explicit ListListener(Hub& hub) : hub_(hub) {}
  void on_open(std::shared_ptr<net::WebSocketPeer> peer) override {
    if (!hub_.admit(*peer)) return;
    key_ = peer.get();
    hub_.list_watched_.store(true);
    hub_.loop_.post([&hub = hub_, peer = std::move(peer)] {
      hub.list_watched_.store(true);
      hub.list_.join(std::make_shared<Subscriber>(peer));
      hub.schedule_flush();
    });
  }
  void on_text(std::string_view) override {}
  void on_close() override {
    if (key_ == nullptr) return;
    hub_.subscribers_.fetch_sub(1, std::memory_order_relaxed);
    hub_.loop_.post([&hub = hub_, key = key_] {
      hub.list_.leave(key);
      if (hub.list_.is_empty()) hub.list_watched_.store(false);
    });
  }

 private:
  Hub& hub_;
  const void* key_ = nullptr;
};

Hub::Hub(runtime::Journal& journal, ports::Store& store, Pool& pool, ports::Loop& loop, const Clock& clock)
    : journal_(journal), store_(store), pool_(pool), loop_(loop), clock_(clock) {}

std::unique_ptr<net::WebSocketListener> Hub::listen(const ExecutionId& id,
                                                    std::optional<std::uint64_t> after) {
  return std::make_unique<ExecutionListener>(*this, id, after);
}

std::unique_ptr<net::WebSocketListener> Hub::listen_to_list() {
  return std::make_unique<ListListener>(*this);
}

bool Hub::admit(net::WebSocketPeer& peer) {
  if (subscribers_.fetch_add(1, std::memory_order_relaxed) < kMostSubscribers) return true;
  subscribers_.fetch_sub(1, std::memory_order_relaxed);
  peer.close(1013, "too many live connections; try again later");
  return false;
}

/// Marked as watched before anything is loaded: what is recorded from here on reaches the feed, and what the
/// loaded state holds already is dropped there.
void Hub::watch(const ExecutionId& id, std::optional<std::uint64_t> after,
                std::shared_ptr<net::WebSocketPeer> peer) {
  {
    const std::lock_guard lock(mutex_);
    watched_.insert(id);
    watched_count_.store(watched_.size());
  }
  loop_.post([this, id, after, subscriber = std::make_shared<Subscriber>(std::move(peer))] {
    {
      const std::lock_guard lock(mutex_);  // a leave() may have come between
      watched_.insert(id);
      watched_count_.store(watched_.size());
    }
    auto& feed = feeds_[id];
    if (feed.has_begun() && (!after || feed.covers(*after))) {
      feed.join(subscriber, after);
      return schedule_flush();
    }
    feed.waiting().push_back({subscriber, after});
    if (!std::exchange(feed.loading, true)) load(id);
  });
}

/// On the loop. Those who come while it loads wait for the same load, or for the next one when they want
/// older frames.
void Hub::load(const ExecutionId& id) {
  std::uint64_t after = ~std::uint64_t{0};
  for (const auto& waiting : feeds_[id].waiting()) {
    if (waiting.after) after = std::min(after, *waiting.after);
  }
  Pool::Job job = [this, id, after] {
    auto folded = std::make_shared<std::optional<FoldedFeed>>();
    std::optional<Error> failure;
    try {
      *folded = fold_feed(journal_, store_, id, after, kMostHistory);
    } catch (const Unavailable& unavailable) {
      failure = unavailable.error();
    }
    loop_.post([this, id, folded, failure] { on_loaded(id, folded, failure); });
  };
  if (pool_.post(job)) return;
  loop_.post_after(Milliseconds(100), [this, id] {
    if (feeds_.contains(id)) load(id);
  });
}

void Hub::on_loaded(const ExecutionId& id, std::shared_ptr<std::optional<FoldedFeed>> folded,
                    std::optional<Error> failure) {
  const auto found = feeds_.find(id);
  if (found == feeds_.end()) return;
  auto& feed = found->second;
  feed.loading = false;
  if (!*folded) {
    feed.close_all(failure ? 1011 : 4404, failure ? failure->code : "there is no such execution");
    return leave(id, nullptr);
  }
  feed.begin(std::move((*folded)->loaded), std::move((*folded)->frames));
  schedule_flush();
}

void Hub::leave(const ExecutionId& id, const void* key) {
  loop_.post([this, id, key] {
    const auto found = feeds_.find(id);
    if (found == feeds_.end()) return;
    found->second.leave(key);
    if (!found->second.is_empty()) return;
    feeds_.erase(found);
    const std::lock_guard lock(mutex_);
    watched_.erase(id);
    watched_count_.store(watched_.size());
  });
}

bool Hub::is_watched(const ExecutionId& id) {
  if (watched_count_.load() == 0) return false;
  const std::lock_guard lock(mutex_);
  return watched_.contains(id);
}

void Hub::on_recorded(const runtime::Recorded& recorded) {
  if (is_watched(recorded.state.id)) {
    take(recorded.state.id,
         {{recorded.events.begin(), recorded.events.end()}, recorded.first_seq, recorded.at, {}});
  }
  if (!list_watched_.load(std::memory_order_relaxed) || !ListFeed::changes_list(recorded)) return;
  loop_.post([this, summary = runtime::summarize(recorded.state)] {
    list_.take(summary);
    schedule_flush();
  });
}

void Hub::on_log(const runtime::Logged& logged) {
  if (!is_watched(logged.state.id)) return;
  take(logged.state.id,
       {{}, 0, {}, {logged.batch, logged.after_seq, {logged.lines.begin(), logged.lines.end()}}});
}

void Hub::take(const ExecutionId& id, LiveUpdate update) {
  loop_.post([this, id, update = std::move(update)]() mutable {
    const auto found = feeds_.find(id);
    if (found == feeds_.end()) return;
    found->second.take(std::move(update));
    schedule_flush();
  });
}

/// At once when nobody was flushed a moment ago; each subscriber keeps its own pace.
void Hub::schedule_flush() {
  if (std::exchange(flush_scheduled_, true)) return;
  loop_.post([this] { flush(); });
}

void Hub::flush() {
  constexpr Milliseconds kTick{10};
  const auto now = clock_.steady_now();
  bool more = list_.flush(now);
  for (auto& [id, feed] : feeds_) more |= feed.flush(now);
  flush_scheduled_ = more;
  if (more) loop_.post_after(kTick, [this] { flush(); });
}

}  // namespace fp::api

#pragma once

#include "api/live/frames.hpp"
#include "base/time.hpp"
#include "net/handler.hpp"

#include <deque>
#include <memory>

namespace fp::api {

/// One client of a feed. Frames go out in bursts, at most one each kPause, so that a fast execution does not
/// wake a client a thousand times a second. A client that does not keep up loses what it has not got and is
/// told to start over
/// (`{"type":"resync"}`); one that stays silent is closed with 4408. Lives on the hub's loop.
class Subscriber {
 public:
  static constexpr Milliseconds kPause{75};
  static constexpr Milliseconds kPatience{30'000};

  explicit Subscriber(std::shared_ptr<net::WebSocketPeer> peer) : peer_(std::move(peer)) {}

  void push(FrameText text);
  enum class Flushed { all, slow, gone };
  /// Sends what is queued, if it is time. `slow`: the client lagged and has room again; it wants a fresh
  /// snapshot.
  Flushed flush(SteadyPoint now);
  bool is_dirty() const { return !queue_.empty() || lagging_; }
  void close(std::uint16_t code, const std::string& reason) { peer_->close(code, reason); }
  const void* key() const { return peer_.get(); }

 private:
  std::shared_ptr<net::WebSocketPeer> peer_;
  std::deque<FrameText> queue_;
  SteadyPoint last_{};
  SteadyPoint lagging_since_{};
  bool lagging_ = false;
};

}  // namespace fp::api

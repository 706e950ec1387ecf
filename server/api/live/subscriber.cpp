#include "api/live/subscriber.hpp"

namespace fp::api {

void Subscriber::push(FrameText text) {
  if (!lagging_) queue_.push_back(std::move(text));
}

Subscriber::Flushed Subscriber::flush(SteadyPoint now) {
  static const FrameText kResync = std::make_shared<const std::string>(R"({"type":"resync"})");
  if (lagging_) {
    if (peer_->queued_bytes() == 0 && peer_->send(kResync)) {
      lagging_ = false;
      last_ = now;
      return Flushed::slow;
    }
    if (now - lagging_since_ <= kPatience) return Flushed::all;
    peer_->close(4408, "too slow");
    return Flushed::gone;
  }
  if (queue_.empty() || now - last_ < kPause) return Flushed::all;
  last_ = now;
  while (!queue_.empty()) {
    if (!peer_->send(queue_.front())) {
      queue_.clear();
      lagging_ = true;
      lagging_since_ = now;
      return Flushed::all;
    }
    queue_.pop_front();
  }
  return Flushed::all;
}

}  // namespace fp::api

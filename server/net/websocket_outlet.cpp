#include "net/websocket_outlet.hpp"

#include <utility>

namespace fp::net {

bool WebSocketOutlet::send(std::shared_ptr<const std::string> text) {
  bool must_wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_shut_ || closing_) return false;
    if (bytes_ > 0 && bytes_ + text->size() > most_bytes_) {
      was_refused_ = true;
      return false;
    }
    bytes_ += text->size();
    queue_.push_back(std::move(text));
    must_wake = !std::exchange(is_woken_, true);
  }
  if (must_wake) mailbox_->post_wake(connection_);
  return true;
}

std::size_t WebSocketOutlet::queued_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void WebSocketOutlet::close(std::uint16_t code, std::string reason) {
  {
    const std::lock_guard lock(mutex_);
    if (is_shut_ || closing_) return;
    closing_ = {code, std::move(reason)};
  }
  mailbox_->post_wake(connection_);
}

void WebSocketOutlet::take(std::vector<std::shared_ptr<const std::string>>& texts, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  std::size_t taken = 0;
  while (!queue_.empty() && taken < bytes) {
    taken += queue_.front()->size() + 1;  // an empty text counts too
    texts.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  if (texts.empty()) is_woken_ = false;
}

bool WebSocketOutlet::release(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ -= bytes;
  return bytes_ < most_bytes_ / 4 && std::exchange(was_refused_, false);
}

std::optional<WebSocketOutlet::Closing> WebSocketOutlet::closing() const {
  const std::lock_guard lock(mutex_);
  return closing_;
}

void WebSocketOutlet::shut() {
  std::deque<std::shared_ptr<const std::string>> dropped;
  const std::lock_guard lock(mutex_);
  is_shut_ = true;
  bytes_ = 0;
  dropped.swap(queue_);
}

}  // namespace fp::net

#pragma once

#include "net/handler.hpp"
#include "net/mailbox.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fp::net {

/// The sending end of one WebSocket: a bounded queue that any thread fills and the connection empties. Full
/// means that send() says no. However many texts are queued before the connection looks, it is woken once.
/// Thread-safe.
class WebSocketOutlet final : public WebSocketPeer {
 public:
  struct Closing {
    std::uint16_t code = 0;
    std::string reason;
  };

  WebSocketOutlet(std::shared_ptr<Mailbox> mailbox, std::uint64_t connection, std::size_t queue_bytes)
      : mailbox_(std::move(mailbox)), connection_(connection), most_bytes_(queue_bytes) {}

  bool send(std::shared_ptr<const std::string> text) override;
  std::size_t queued_bytes() const override;
  void close(std::uint16_t code, std::string reason) override;

  // For the connection:
  /// The next texts, about `bytes` of them; none: the next send() wakes the connection again.
  void take(std::vector<std::shared_ptr<const std::string>>& texts, std::size_t bytes);
  /// `bytes` taken before have been handed to the kernel. True: the queue has drained after a send() that was
  /// refused.
  bool release(std::size_t bytes);
  std::optional<Closing> closing() const;
  /// Nothing is taken from now on.
  void shut();

 private:
  const std::shared_ptr<Mailbox> mailbox_;
  const std::uint64_t connection_;
  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const std::string>> queue_;  // guarded by mutex_
  std::size_t bytes_ = 0;           // guarded by mutex_: queued, and taken but not released
  std::optional<Closing> closing_;  // guarded by mutex_
  bool is_shut_ = false;            // guarded by mutex_
  bool is_woken_ = false;           // guarded by mutex_
  bool was_refused_ = false;        // guarded by mutex_
};

}  // namespace fp::net

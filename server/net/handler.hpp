#pragma once

#include "base/unique_function.hpp"
#include "net/message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace fp::net {

/// One open WebSocket, as those who feed it see it. Thread-safe; outlives the connection harmlessly.
class WebSocketPeer {
 public:
  virtual ~WebSocketPeer() = default;
  /// Queues one text frame. False when the connection is closed or the queue would grow beyond
  /// Limits::websocket_queue_bytes (a text alone in it may be larger: a snapshot must fit): nothing was
  /// queued, and what to do about it (resync, close) is the caller's choice.
  virtual bool send(std::shared_ptr<const std::string> text) = 0;
  /// Bytes queued and not yet handed to the kernel.
  virtual std::size_t queued_bytes() const = 0;
  /// Ends it with a close frame after what is queued. Idempotent.
  virtual void close(std::uint16_t code, std::string reason) = 0;
};

/// Who listens to one WebSocket. Called on the connection's strand, one call at a time, on_close last and
/// once.
class WebSocketListener {
 public:
  virtual ~WebSocketListener() = default;
  virtual void on_open(std::shared_ptr<WebSocketPeer> peer) = 0;
  virtual void on_text(std::string_view text) = 0;
  /// The queue has drained below a quarter of its limit after a send that was refused.
  virtual void on_drained() {}
  virtual void on_close() = 0;
};

/// What the server does with requests. Called on the network's threads: never block, answer from any thread.
class Handler {
 public:
  using Respond = UniqueFunction<void(Response)>;  // call once; a call that never comes is a hanging client
  virtual ~Handler() = default;
  virtual void handle(Request request, Respond respond) = 0;
  /// A WebSocket upgrade: who listens, or the refusal to send instead.
  virtual std::variant<std::unique_ptr<WebSocketListener>, Response> upgrade(const Request& request) = 0;
  /// The answer to a request that breaks the protocol or a limit; `code` is one of contract/errors.yaml,
  /// `detail` a plain sentence. Must not block.
  virtual Response refuse(unsigned status, std::string_view code, std::string detail,
                          const std::string& request_id) = 0;
};

}  // namespace fp::net

#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/message.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fp::net {

/// Where a server is: "http://127.0.0.1:8080". Error usage.address.
struct Address {
  std::string host;
  std::uint16_t port = 8080;
};
Result<Address> parse_address(std::string_view text);

/// A blocking HTTP/1.1 client over one kept-alive connection, for the command line. Errors: net.connect
/// (nobody listens at ADDRESS), net.timeout, net.protocol. Not thread-safe.
class HttpClient {
 public:
  explicit HttpClient(Address address, Milliseconds timeout = Milliseconds(30'000));
  ~HttpClient();
  /// `body` is sent as application/json when it is not empty.
  Result<Response> send(const std::string& method, const std::string& target, const std::string& body,
                        const Fields& headers = {});

 private:
  class Inner;
  std::unique_ptr<Inner> inner_;
};

/// A blocking WebSocket client.
class WebSocketClient {
 public:
  static Result<std::unique_ptr<WebSocketClient>> open(const Address& address, const std::string& target);
  virtual ~WebSocketClient() = default;
  /// The next text frame; nullopt when the server closed (close_code() says why) or `stop()` was called.
  virtual Result<std::optional<std::string>> read() = 0;
  virtual std::uint16_t close_code() const = 0;
  /// From any thread, also a signal watcher's: makes read() return.
  virtual void stop() = 0;
};

}  // namespace fp::net

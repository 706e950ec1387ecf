#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/handler.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fp::net {

/// Every limit of the network side, shown at /api/limits/.
struct Limits {
  std::size_t header_bytes = 8 * 1024;     // 431
  std::size_t headers = 100;               // 431
  std::size_t uri_bytes = 8 * 1024;        // 414
  std::size_t body_bytes = 16u << 20;      // 413
  std::size_t connections = 10'000;        // more wait in the kernel's queue
  std::size_t pipelined_requests = 16;     // a connection's requests under way at once; more are not read
  Milliseconds header_time{10'000};        // 408: from the first byte to the end of the header
  Milliseconds body_time{30'000};          // 408
  Milliseconds write_time{30'000};         // a client that does not read is closed
  Milliseconds idle_time{75'000};          // keep-alive
  std::size_t compress_from_bytes = 1024;  // gzip when the client takes it
  std::size_t websocket_message_bytes = 64 * 1024;  // 1009
  std::size_t websocket_queue_bytes = 1u << 20;
  std::size_t websocket_messages_per_second = 100;  // 1008
  Milliseconds websocket_ping{20'000};              // silence after which the server pings; twice that closes
};

struct ServerCounts {
  std::size_t connections = 0;
  std::size_t websockets = 0;
};

/// HTTP/1.1 and WebSocket on Boost.Beast. Knows no workflow. Thread-safe.
class HttpServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8080;  // 0: any free one
    std::size_t threads = 1;
    Limits limits;
    std::vector<std::string>
        hosts;  // besides loopback names and `host`: names accepted in the Host header (421 otherwise)
  };
  /// Binds and listens; requests are served from then on. Errors: net.port_taken (names the port, and the
  /// process that has it when that can be seen), net.address.
  static Result<std::unique_ptr<HttpServer>> start(Options options, Handler& handler);
  ~HttpServer();

  std::uint16_t port() const;
  ServerCounts counts() const;
  /// Stops listening, lets requests under way finish until `grace` is over, closes WebSockets with 1001, then
  /// joins the threads. Idempotent.
  void stop(Milliseconds grace);

 private:
  class Inner;
  explicit HttpServer(std::unique_ptr<Inner> inner);
  std::unique_ptr<Inner> inner_;
};

}  // namespace fp::net

#pragma once

#include "net/http_server.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::net {

/// What a client saw of one reply.
struct TestReply {
  unsigned status = 0;
  Fields headers;
  std::string body;
  /// "" when it is missing.
  std::string header(std::string_view name) const;
};

/// A client that sends what it is told to, byte for byte. A read that waits 10 s fails the test.
class RawClient {
 public:
  /// `receive_buffer` > 0: the kernel keeps no more than about that for us.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  RawClient(RawClient&& other) noexcept;

  /// False when the server is gone.
  bool send(std::string_view bytes);
  /// The next reply; nothing when the connection ends before it is complete. `has_body` is false for HEAD.
  std::optional<TestReply> read_reply(bool has_body = true);
  /// Exactly `count` bytes, or fewer at the end.
  std::string read_bytes(std::size_t count);
  std::string read_to_end();
  bool is_at_end() { return read_bytes(1).empty(); }
  /// Nothing to read within `time`.
  bool is_silent_for(Milliseconds time);
  void shut_sending();
  int fd() const { return fd_; }

  // WebSocket:
  struct Frame {
    int opcode = -1;  // -1: the connection ended
    std::string payload;
    std::uint16_t close_code() const;
  };
  TestReply open_websocket(const std::string& target = "/ws/");
  Frame read_frame();
  bool send_frame(int first_byte, std::string_view payload) { return send(frame(first_byte, payload)); }
  /// A masked frame.
  static std::string frame(int first_byte, std::string_view payload);

 private:
  bool fill();

  int fd_;
  std::string buffer_;
};

/// A listener that remembers what it was told.
class TestListener final : public WebSocketListener {
 public:
  struct Log {
    std::mutex mutex;
    std::condition_variable changed;
    std::shared_ptr<WebSocketPeer> peer;  // guarded by mutex, like all below
    std::vector<std::string> texts;
    int drained = 0;
    int closed = 0;
    /// False when it did not come true in 20 s.
    bool wait_for(const std::function<bool()>& condition);
    std::shared_ptr<WebSocketPeer> wait_for_peer();
  };
  explicit TestListener(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  void on_open(std::shared_ptr<WebSocketPeer> peer) override;
  void on_text(std::string_view text) override;
  void on_drained() override;
  void on_close() override;

 private:
  void note(const std::function<void()>& change);
  std::shared_ptr<Log> log_;
};

/// A server on a free port whose handler is a function. /ws/ is a WebSocket, everything else below /ws is
/// refused.
class TestServer final : public Handler {
 public:
  using Handle = std::function<void(Request, Respond)>;
  explicit TestServer(Limits limits = {}, Handle handle = echo, std::size_t threads = 1);
  ~TestServer() override;

  std::uint16_t port() const { return server_->port(); }
  HttpServer& server() { return *server_; }
  RawClient connect() const { return RawClient(port()); }
  std::shared_ptr<TestListener::Log> websocket() const { return log_; }

  /// Answers with "METHOD PATH BODY".
  static void echo(Request request, Respond respond);

  void handle(Request request, Respond respond) override { handle_(std::move(request), std::move(respond)); }
  std::variant<std::unique_ptr<WebSocketListener>, Response> upgrade(const Request& request) override;
  Response refuse(unsigned status, std::string_view code, std::string detail,
                  const std::string& request_id) override;

 private:
  Handle handle_;
  std::shared_ptr<TestListener::Log> log_ = std::make_shared<TestListener::Log>();
  std::unique_ptr<HttpServer> server_;
};

/// "GET TARGET" with a Host, and `more` header lines.
std::string get(const std::string& target, const std::string& more = "");
std::string post(const std::string& target, const std::string& body, const std::string& more = "");

}  // namespace fp::net

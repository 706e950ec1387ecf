#pragma once

#include "net/connection.hpp"
#include "net/frame_reader.hpp"
#include "net/handler.hpp"
#include "net/websocket_outlet.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace fp::net {

/// One WebSocket (RFC 6455, no extensions) from the accepted handshake on. Lives on its lane's thread; others
/// reach it through its WebSocketOutlet. Pings when the client is silent and drops it when it stays so. A
/// client that breaks the protocol or a limit gets the close code that says which. Small while idle:
/// thousands of them wait for news.
class WebSocketSession final : public Connection {
 public:
  /// `first` is written before anything else, `unread` is what came behind the request.
  WebSocketSession(Lane& lane, Socket socket, std::unique_ptr<WebSocketListener> listener, std::string first,
                   std::string unread);
  ~WebSocketSession() override;

  void start() override;
  void wake() override;
  void check_time(SteadyPoint now) override;
  void begin_stop() override;

 private:
  /// kClosing: our close frame is out, the client's is awaited. kEnding: all is said, the socket is read
  /// over.
  enum class State { kOpen, kClosing, kEnding };

  void read();
  void on_read(boost::system::error_code error, std::size_t count);
  void consume(std::string_view bytes);
  void on_event(const FrameReader::Event& event);
  bool is_too_fast();
  /// Calls the listener; when it can not go on, that is the end of this WebSocket only.
  template <class Call>
  void tell(Call call);
  void on_writable() override;
  void on_finish() override;

  /// Writes what is queued, as far as the kernel takes it, and the close frame behind it.
  void pump();
  void take_texts();
  void note_written();
  void send_close(std::uint16_t code, std::string_view reason);
  /// The last frame; drops what is queued.
  void end_with(std::uint16_t code, std::string_view reason);
  void shut_down();
  void end_listening();

  std::unique_ptr<WebSocketListener> listener_;
  std::shared_ptr<WebSocketOutlet> outlet_;
  FrameReader reader_;
  std::string first_;
  std::string unread_;
  std::array<char, 1024> in_;
  std::vector<std::shared_ptr<const std::string>> texts_;
  std::size_t taken_bytes_ = 0;  // of texts in out_
  State state_ = State::kOpen;
  SteadyPoint last_heard_;
  SteadyPoint deadline_ = SteadyPoint::max();  // for the closing
  SteadyPoint window_start_;
  std::size_t frames_in_window_ = 0;
  bool is_pumping_ = false;
  bool was_pinged_ = false;
  bool is_shut_down_ = false;
  bool has_ended_ = false;
};

}  // namespace fp::net

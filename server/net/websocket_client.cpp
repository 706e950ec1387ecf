#include "base/error_code.hpp"
#include "net/client_connection.hpp"
#include "net/http_client.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <fmt/format.h>

#include <atomic>

namespace fp::net {

namespace {

namespace websocket = boost::beast::websocket;
constexpr Milliseconds kOpenTime{30'000};
constexpr std::size_t kMostMessageBytes = 64u << 20;

/// The context runs only within open() and read(), on the caller's thread; stop() posts to it.
class BeastWebSocketClient final : public WebSocketClient {
 public:
  explicit BeastWebSocketClient(Address address) : address_(std::move(address)) {}

  std::optional<Error> connect_to(const std::string& target) {
    auto& tcp = boost::beast::get_lowest_layer(stream_);
    tcp.expires_after(kOpenTime);
    if (auto error = connect(context_, tcp, address_)) return error;
    stream_.read_message_max(kMostMessageBytes);
    const auto host = authority(address_);
    boost::system::error_code error;
    websocket::response_type response;
    stream_.async_handshake(response, host, target,
                            [&](boost::system::error_code result) { error = result; });
    run();
    tcp.expires_never();
    if (!error) return std::nullopt;
    if (error == websocket::error::upgrade_declined) {
      return Error(codes::net_protocol, fmt::format("http://{}{} refuses a WebSocket: status {}", host,
                                                    target, response.result_int()));
    }
    if (error == boost::beast::error::timeout) {
      return Error(codes::net_timeout,
                   fmt::format("http://{} did not answer within {}", host, to_display_text(kOpenTime)));
    }
    return Error(codes::net_protocol,
                 fmt::format("http://{}{} speaks no WebSocket: {}", host, target, error.message()));
  }

  Result<std::optional<std::string>> read() override {
    if (is_stopped_ || is_over_) return std::optional<std::string>();
    boost::system::error_code error;
    stream_.async_read(buffer_, [&](boost::system::error_code result, std::size_t) { error = result; });
    run();
    if (!error) {
      std::optional<std::string> text = boost::beast::buffers_to_string(buffer_.data());
      buffer_.consume(buffer_.size());
      return text;
    }
    is_over_ = true;
    if (is_stopped_ || error == websocket::error::closed) return std::optional<std::string>();
    return Error(codes::net_protocol,
                 fmt::format("the connection to http://{} broke: {}", authority(address_), error.message()));
  }

  std::uint16_t close_code() const override { return stream_.reason().code; }

  void stop() override {
    is_stopped_ = true;
    boost::asio::post(context_, [this] { boost::beast::get_lowest_layer(stream_).close(); });
  }

 private:
  void run() {
    context_.restart();
    context_.run();
  }

  const Address address_;
  boost::asio::io_context context_;
  websocket::stream<boost::beast::tcp_stream> stream_{context_};
  boost::beast::flat_buffer buffer_;
  std::atomic<bool> is_stopped_{false};
  bool is_over_ = false;
};

}  // namespace

Result<std::unique_ptr<WebSocketClient>> WebSocketClient::open(const Address& address,
                                                               const std::string& target) {
  auto client = std::make_unique<BeastWebSocketClient>(address);
  if (auto error = client->connect_to(target)) return std::move(*error);
  return std::unique_ptr<WebSocketClient>(std::move(client));
}

}  // namespace fp::net

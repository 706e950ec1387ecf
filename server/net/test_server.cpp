#include "net/test_server.hpp"

#include "base/assert.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace fp::net {

std::string TestReply::header(std::string_view name) const {
  const auto* value = find_field(headers, name);
  return value == nullptr ? "" : *value;
}

RawClient::RawClient(std::uint16_t port, int receive_buffer)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  FP_ASSERT(fd_ >= 0, "a test has file descriptors");
  const timeval patience{10, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  FP_ASSERT(connected == 0, "the server listens");
}

RawClient::~RawClient() {
  if (fd_ >= 0) close(fd_);
}

RawClient::RawClient(RawClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawClient::fill() {
  char bytes[16 * 1024];
  const auto count = recv(fd_, bytes, sizeof bytes, 0);
  if (count > 0) buffer_.append(bytes, static_cast<std::size_t>(count));
  if (count < 0 && errno == EAGAIN) ADD_FAILURE() << "the server kept its client waiting";
  return count > 0;
}

std::optional<TestReply> RawClient::read_reply(bool has_body) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  const std::string head = std::exchange(buffer_, buffer_.substr(end + 4)).substr(0, end + 2);
  TestReply reply;
  if (!head.starts_with("HTTP/1.1 ")) return std::nullopt;
  reply.status = static_cast<unsigned>(std::atoi(head.c_str() + 9));
  for (auto at = head.find("\r\n") + 2; at < head.size();) {
    const auto stop = head.find("\r\n", at);
    const auto colon = head.find(": ", at);
    if (colon == std::string::npos || colon > stop) return std::nullopt;
    reply.headers.emplace_back(head.substr(at, colon - at), head.substr(colon + 2, stop - colon - 2));
    at = stop + 2;
  }
  const auto length = static_cast<std::size_t>(std::atoll(reply.header("Content-Length").c_str()));
  if (has_body) reply.body = read_bytes(length);
  if (has_body && reply.body.size() < length) return std::nullopt;
  return reply;
}

std::string RawClient::read_bytes(std::size_t count) {
  while (buffer_.size() < count && fill()) {
  }
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

std::string RawClient::read_to_end() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool RawClient::is_silent_for(Milliseconds time) {
  pollfd watched{fd_, POLLIN, 0};
  return buffer_.empty() && poll(&watched, 1, static_cast<int>(time.count())) == 0;
}

void RawClient::shut_sending() {
  shutdown(fd_, SHUT_WR);
}

std::uint16_t RawClient::Frame::close_code() const {
  if (opcode != 8 || payload.size() < 2) return 0;
  return static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                    static_cast<unsigned char>(payload[1]));
}

TestReply RawClient::open_websocket(const std::string& target) {
  send(get(target,
           "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  return read_reply().value_or(TestReply{});
}

RawClient::Frame RawClient::read_frame() {
  const auto head = read_bytes(2);
  if (head.size() < 2) return {};
  std::size_t length = static_cast<unsigned char>(head[1]);
  const auto more = read_bytes(length == 126 ? 2 : length == 127 ? 8 : 0);
  if (!more.empty()) length = 0;
  for (const char c : more) length = length << 8 | static_cast<unsigned char>(c);
  return {head[0] & 0x0F, read_bytes(length)};
}

std::string RawClient::frame(int first_byte, std::string_view payload) {
  std::string out(1, static_cast<char>(first_byte));
  const auto put = [&out](std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
  };
  if (payload.size() < 126) {
    put(0x80 | payload.size(), 1);
  } else if (payload.size() <= 0xFFFF) {
    put(0x80 | 126, 1);
    put(payload.size(), 2);
  } else {
    put(0x80 | 127, 1);
    put(payload.size(), 8);
  }
  constexpr char kMask[] = {0x11, 0x22, 0x33, 0x44};
  out.append(kMask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ kMask[i & 3]);
  return out;
}

bool TestListener::Log::wait_for(const std::function<bool()>& condition) {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, std::chrono::seconds(20), condition);
}

std::shared_ptr<WebSocketPeer> TestListener::Log::wait_for_peer() {
  wait_for([this] { return peer != nullptr; });
  const std::lock_guard lock(mutex);
  return peer;
}

void TestListener::note(const std::function<void()>& change) {
  const std::lock_guard lock(log_->mutex);
  change();
  log_->changed.notify_all();
}

void TestListener::on_open(std::shared_ptr<WebSocketPeer> peer) {
  note([&] { log_->peer = std::move(peer); });
}

void TestListener::on_text(std::string_view text) {
  if (text == "storage gone") throw Unavailable(Error("test.storage", "the database is gone", true));
  note([&] { log_->texts.emplace_back(text); });
}

void TestListener::on_drained() {
  note([&] { ++log_->drained; });
}

void TestListener::on_close() {
  note([&] { ++log_->closed; });
}

TestServer::TestServer(Limits limits, Handle handle, std::size_t threads) : handle_(std::move(handle)) {
  HttpServer::Options options;
  options.port = 0;
  options.threads = threads;
  options.limits = limits;
  options.hosts = {"flow.example.org"};
  auto started = HttpServer::start(options, *this);
  FP_ASSERT(started.has_value(), "a free port can be had");
  server_ = std::move(*started);
}

TestServer::~TestServer() {
  server_->stop(Milliseconds(0));
}

void TestServer::echo(Request request, Respond respond) {
  Response response;
  response.content_type = "text/plain";
  response.body = request.method + " " + request.path + " " + request.body;
  respond(std::move(response));
}

std::variant<std::unique_ptr<WebSocketListener>, Response> TestServer::upgrade(const Request& request) {
  if (request.path == "/ws/") return std::make_unique<TestListener>(log_);
  return refuse(403, "test.forbidden", "not here", request.id);
}

Response TestServer::refuse(unsigned status, std::string_view code, std::string detail,
                            const std::string& request_id) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = fmt::format(R"({{"code":"{}","detail":"{}","request_id":"{}"}})", code, detail, request_id);
  return response;
}

std::string get(const std::string& target, const std::string& more) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", target, more);
}

std::string post(const std::string& target, const std::string& body, const std::string& more) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n{}", target,
                     body.size(), more, body);
}

}  // namespace fp::net

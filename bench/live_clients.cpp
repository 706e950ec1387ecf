#include "live_clients.hpp"

#include "base/json_parse.hpp"
#include "base/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <poll.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fp::bench {

namespace {

/// The members these clients look at come as text of their own, so no frame needs to be parsed whole.
std::string_view find_text(std::string_view frame, std::string_view name) {
  const auto at = frame.find(name);
  if (at == frame.npos) return {};
  const auto begin = at + name.size();
  return frame.substr(begin, frame.find('"', begin) - begin);
}

std::uint64_t find_seq(std::string_view frame) {
  constexpr std::string_view kName = "\"seq\":";
  std::uint64_t out = 0;
  if (const auto at = frame.rfind(kName); at != frame.npos)
    std::from_chars(frame.data() + at + kName.size(), frame.data() + frame.size(), out);
  return out;
}

/// The length of the payload's head and of the payload; both 0 when more is to come.
std::pair<std::size_t, std::size_t> frame_size(std::string_view in) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(in[i]); };
  if (in.size() < 2) return {};
  std::size_t size = byte(1) & 0x7F;
  std::size_t head = 2;
  const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (in.size() < head + more) return {};
  if (more > 0) size = 0;
  for (std::size_t i = 0; i < more; ++i) size = size << 8 | byte(head++);
  if (in.size() < head + size) return {};
  return {head, size};
}

std::string read_handshake(int fd) {
  std::string in;
  char buffer[16384];
  while (in.find("\r\n\r\n") == in.npos) {
    pollfd wait{fd, POLLIN, 0};
    poll(&wait, 1, 10'000);
    const auto got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) throw std::runtime_error("the server refused a WebSocket");
    in.append(buffer, static_cast<std::size_t>(got));
  }
  if (!in.starts_with("HTTP/1.1 101")) throw std::runtime_error("the server refused a WebSocket: " + in);
  return in.substr(in.find("\r\n\r\n") + 4);
}

}  // namespace

LiveClients::LiveClients(std::uint16_t port, const std::vector<std::string>& executions, std::size_t clients)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), clients_(clients) {
  for (std::size_t i = 0; i < clients; ++i) {
    const int fd = connect_to(port);
    const auto request = fmt::format(
        "GET /ws/executions/{}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        executions[i % executions.size()]);
    if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0)
      throw std::runtime_error("the server closed a connection");
    clients_[i].fd = fd;
    clients_[i].in = read_handshake(fd);
    epoll_event event{EPOLLIN, {.u64 = i}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

LiveClients::~LiveClients() {
  for (const auto& client : clients_) close(client.fd);
  close(epoll_);
}

void LiveClients::wait_for_snapshots() {
  while (snapshots_ < clients_.size()) read_some();
}

LiveMeasured LiveClients::follow(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (out_.ended < clients_.size() && std::chrono::steady_clock::now() < end) read_some();
  std::sort(out_.delays.ms.begin(), out_.delays.ms.end());
  return out_;
}

void LiveClients::read_some() {
  epoll_event events[256];
  const int count = epoll_wait(epoll_, events, std::size(events), 100);
  for (int i = 0; i < count; ++i) {
    auto& client = clients_[events[i].data.u64];
    char buffer[65536];
    const auto got = recv(client.fd, buffer, sizeof buffer, 0);
    if (got <= 0) throw std::runtime_error("the server closed a WebSocket");
    client.in.append(buffer, static_cast<std::size_t>(got));
    std::size_t used = 0;
    while (true) {
      const auto rest = std::string_view(client.in).substr(used);
      const auto [head, size] = frame_size(rest);
      if (head == 0) break;
      if ((rest[0] & 0x0F) == 1) take(client, rest.substr(head, size));
      used += head + size;
    }
    client.in.erase(0, used);
  }
}

void LiveClients::take(Client& client, std::string_view frame) {
  ++out_.frames;
  const auto type = find_text(frame.substr(frame.rfind("\"type\":\"")), "\"type\":\"");
  if (type == "resync") {
    ++out_.resyncs;
    client.has_snapshot = false;
    return;
  }
  const auto seq = find_seq(frame);
  if (client.has_snapshot && seq != client.seq + 1) ++out_.gaps;
  client.seq = seq;
  if (!std::exchange(client.has_snapshot, true)) ++snapshots_;
  if (type == "log") {
    if (const auto at = parse_rfc3339(find_text(frame, "\"at\":\"")))
      out_.delays.ms.push_back(std::chrono::duration<double, std::milli>(SystemClock().now() - *at).count());
  } else if (type == "snapshot" || type == "execution_update") {
    const auto whole = parse_json(frame);
    if (whole && json_string(*whole, "status") == "completed" && !std::exchange(client.has_ended, true))
      ++out_.ended;
  }
}

}  // namespace fp::bench

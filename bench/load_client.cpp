#include "load_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <chrono>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <optional>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fp::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;
using Point = SteadyClock::time_point;

struct Answer {
  unsigned status = 0;
  std::string_view body;
  std::size_t bytes = 0;  // of the whole answer
};

/// The answer at the beginning of `text`, once it is whole. The server always says Content-Length.
std::optional<Answer> find_answer(std::string_view text) {
  const auto head = text.find("\r\n\r\n");
  if (head == text.npos) return std::nullopt;
  Answer out;
  std::from_chars(text.data() + 9, text.data() + 12, out.status);
  std::size_t length = 0;
  if (const auto at = text.find("Content-Length: "); at < head)
    std::from_chars(text.data() + at + 16, text.data() + head, length);
  out.bytes = head + 4 + length;
  if (text.size() < out.bytes) return std::nullopt;
  out.body = text.substr(head + 4, length);
  return out;
}

class Run {
 public:
  Run(std::uint16_t port, const Load& load) : load_(load), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < load.connections; ++i) {
      auto& connection = connections_.emplace_back();
      connection.fd = connect_to(port);
      epoll_event event{EPOLLIN, {.u64 = i}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
      idle_.push_back(load.connections - 1 - i);
    }
    out_.ms.reserve(load.requests);
  }
  ~Run() {
    for (const auto& connection : connections_) close(connection.fd);
    close(epoll_);
  }

  Measured run() {
    begin_ = SteadyClock::now();
    const auto end = begin_ + std::chrono::duration<double>(load_.give_up_after);
    while (answered_ < load_.requests && SteadyClock::now() < end) {
      send_due();
      wait();
    }
    out_.seconds = std::chrono::duration<double>(SteadyClock::now() - begin_).count();
    out_.wrong += load_.requests - answered_;
    if (answered_ < load_.requests && out_.first_wrong.empty()) out_.first_wrong = "no answer in time";
    std::sort(out_.ms.begin(), out_.ms.end());
    return std::move(out_);
  }

 private:
  struct Connection {
    int fd = -1;
    Point due{};
    std::string in;
  };

  Point due_at(std::size_t number) const {
    return begin_ + std::chrono::duration_cast<SteadyClock::duration>(
                        std::chrono::duration<double>(static_cast<double>(number) / load_.per_second));
  }

  void send_due() {
    const auto now = SteadyClock::now();
    while (!idle_.empty() && sent_ < load_.requests) {
      const auto due = load_.per_second > 0 ? due_at(sent_) : now;
      if (due > now) return;
      auto& connection = connections_[idle_.back()];
      idle_.pop_back();
      connection.due = due;
      const auto text = load_.make(sent_++);
      if (send(connection.fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
        throw std::runtime_error("a request did not fit into the socket");
    }
  }

  void wait() {
    timespec timeout{0, 100'000'000};
    if (load_.per_second > 0 && sent_ < load_.requests && !idle_.empty()) {
      const auto left = std::chrono::nanoseconds(due_at(sent_) - SteadyClock::now()).count();
      timeout.tv_nsec = std::clamp<long>(left, 0, 100'000'000);
    }
    epoll_event events[256];
    const int count = epoll_pwait2(epoll_, events, std::size(events), &timeout, nullptr);
    for (int i = 0; i < count; ++i) receive(events[i].data.u64);
  }

  void receive(std::size_t index) {
    auto& connection = connections_[index];
    char buffer[65536];
    const auto got = recv(connection.fd, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) throw std::runtime_error("the server closed a connection");
    connection.in.append(buffer, static_cast<std::size_t>(got));
    const auto answer = find_answer(connection.in);
    if (!answer) return;
    ++answered_;
    if (load_.fits(answer->status, answer->body)) {
      out_.ms.push_back(
          std::chrono::duration<double, std::milli>(SteadyClock::now() - connection.due).count());
    } else {
      ++out_.wrong;
      if (out_.first_wrong.empty())
        out_.first_wrong = fmt::format("{} {}", answer->status, answer->body.substr(0, 300));
    }
    connection.in.erase(0, answer->bytes);
    idle_.push_back(index);
  }

  const Load& load_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<std::size_t> idle_;
  Point begin_{};
  std::size_t sent_ = 0;
  std::size_t answered_ = 0;
  Measured out_;
};

}  // namespace

double Measured::quantile(double q) const {
  if (ms.empty()) return 0;
  return ms[std::min(ms.size() - 1, static_cast<std::size_t>(q * static_cast<double>(ms.size())))];
}

void Measured::add(const Measured& more) {
  ms.insert(ms.end(), more.ms.begin(), more.ms.end());
  std::sort(ms.begin(), ms.end());
  seconds += more.seconds;
  wrong += more.wrong;
  if (first_wrong.empty()) first_wrong = more.first_wrong;
}

Measured run_load(std::uint16_t port, const Load& load) {
  return Run(port, load).run();
}

std::string get_request(std::string_view target) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", target);
}

std::string post_request(std::string_view target, std::string_view body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      target, body.size(), body);
}

int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("can not connect to the server");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

}  // namespace fp::bench

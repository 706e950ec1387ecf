#include "tasks/test_peer.hpp"

#include "base/assert.hpp"

#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

namespace fp::tasks {

std::string TestConversation::read_line() {
  while (buffer_.find('\n') == std::string::npos) {
    char bytes[4096];
    const auto got = recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) return std::exchange(buffer_, {});
    buffer_.append(bytes, static_cast<std::size_t>(got));
  }
  const auto end = buffer_.find('\n') + 1;
  auto line = buffer_.substr(0, end);
  buffer_.erase(0, end);
  return line;
}

std::string TestConversation::read_request() {
  std::string head;
  std::size_t length = 0;
  for (auto line = read_line(); !line.empty(); line = read_line()) {
    head += line;
    if (line.starts_with("Content-Length: ") || line.starts_with("content-length: "))
      length = std::strtoul(line.c_str() + 16, nullptr, 10);
    if (line == "\r\n") break;
  }
  while (!head.empty() && buffer_.size() < length) {
    char bytes[4096];
    const auto got = recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) break;
    buffer_.append(bytes, static_cast<std::size_t>(got));
  }
  head += buffer_.substr(0, length);
  buffer_.erase(0, length);
  return head;
}

bool TestConversation::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

void TestConversation::wait_for_close() {
  char bytes[4096];
  while (recv(socket_.get(), bytes, sizeof bytes, 0) > 0) {
  }
}

void TestConversation::reset() {
  const linger hard{1, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  end();
}

void TestConversation::end() {
  const std::lock_guard lock(mutex_);
  FileDescriptor closing = std::move(socket_);
}

void TestConversation::interrupt() {
  const std::lock_guard lock(mutex_);
  shutdown(socket_.get(), SHUT_RDWR);
}

TestPeer::TestPeer(Script script)
    : script_(std::move(script)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool ready = bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     listen(listener_.get(), 64) == 0 &&
                     getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0;
  FP_ASSERT(ready, "loopback has a free port");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

TestPeer::~TestPeer() {
  eventfd_write(stop_.get(), 1);
  acceptor_.join();
  for (auto& conversation : conversations_) conversation->interrupt();
  for (auto& thread : threads_) thread.join();
}

void TestPeer::accept_all() {
  while (true) {
    pollfd watched[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    poll(watched, 2, -1);
    if (watched[1].revents != 0) return;
    FileDescriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (socket.get() < 0) continue;
    const int now = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
    const std::lock_guard lock(mutex_);
    conversations_.push_back(std::make_shared<TestConversation>(std::move(socket)));
    threads_.emplace_back([this, conversation = conversations_.back()] {
      script_(*conversation);
      conversation->end();
    });
  }
}

std::string TestPeer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::size_t TestPeer::connections() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

TestAttempt::TestAttempt(ports::TaskHandler& handler, const Json& config, Milliseconds timeout,
                         std::uint32_t attempt) {
  ports::AttemptRequest request;
  request.step = "step";
  request.attempt = attempt;
  request.step_type = handler.spec().type;
  request.config = make_value(config);
  request.idempotency_key = "key-of-the-task";
  request.timeout = timeout;
  auto promise = std::make_shared<std::promise<ports::TaskHandler::Output>>();
  output_ = promise->get_future();
  handler.start(std::move(request), control_,
                [promise](ports::TaskHandler::Output output) { promise->set_value(std::move(output)); });
}

ports::TaskHandler::Output TestAttempt::wait() {
  return output_.get();
}

std::string code_of(const ports::TaskHandler::Output& output) {
  return output ? std::string() : output.error().code;
}

TestFolder::TestFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "fp-tasks-XXXXXX").string();
  FP_ASSERT(mkdtemp(name.data()) != nullptr, "the temporary folder is writable");
  path_ = name;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace fp::tasks

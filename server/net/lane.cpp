#include "net/lane.hpp"

#include "base/random.hpp"
#include "net/response_head.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <pthread.h>

namespace fp::net {

void ServerCore::drop_connection() {
  const auto left = --connections;
  if (on_drop) on_drop();
  if (left > 0) return;
  const std::lock_guard lock(mutex_);
  none_left_.notify_all();
}

bool ServerCore::wait_for_no_connection(Milliseconds most) {
  std::unique_lock lock(mutex_);
  return none_left_.wait_for(lock, most, [this] { return connections == 0; });
}

Lane::Lane(ServerCore& server)
    : server_(server),
      work_(context_.get_executor()),
      timer_(context_),
      mailbox_(std::make_shared<Mailbox>(*this)),
      random_state_(SystemRng().next()) {}

Lane::~Lane() {
  join();
}

void Lane::start() {
  // Signals are for the main thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "net");
}

void Lane::run() {
  mailbox_->enter_thread();
  tick();
  context_.run();
}

void Lane::post_stop() {
  boost::asio::post(context_, [this] {
    is_stopping_ = true;
    for (const auto& connection : all()) connection->begin_stop();
  });
}

void Lane::join() {
  if (!thread_.joinable()) return;
  boost::asio::post(context_, [this] {
    is_stopping_ = true;
    for (const auto& connection : all()) connection->finish();
    mailbox_->close();
    timer_.cancel();
    work_.reset();
  });
  thread_.join();
}

void Lane::adopt(std::shared_ptr<Connection> connection) {
  if (is_stopping_) return server_.drop_connection();
  connections_.emplace(connection->id(), connection);
  connection->start();
}

void Lane::remove(Connection& connection) {
  connections_.erase(connection.id());
  server_.drop_connection();
}

void Lane::replace(Connection& connection, std::shared_ptr<Connection> successor) {
  connections_.erase(connection.id());
  connections_.emplace(successor->id(), successor);
  successor->start();
}

void Lane::answer(std::uint64_t connection, std::uint64_t request, Response response) {
  const auto found = find(connection);
  if (!found) return;
  found->answer(request, std::move(response));
  found->wake();
}

void Lane::read_mail() {
  auto mail = mailbox_->take();
  for (auto& [connection, request, response] : mail.answers) {
    const auto found = find(connection);
    if (!found) continue;
    found->answer(request, std::move(response));
    // Replies of one connection that come together are written together.
    if (mail.wakes.empty() || mail.wakes.back() != connection) mail.wakes.push_back(connection);
  }
  for (const auto id : mail.wakes) {
    if (const auto found = find(id)) found->wake();
  }
}

std::shared_ptr<Connection> Lane::find(std::uint64_t id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Connection>> Lane::all() const {
  std::vector<std::shared_ptr<Connection>> connections;
  connections.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) connections.push_back(connection);
  return connections;
}

// One timer for all: deadlines are looked at a few times in the shortest limit, and no request has to set a
// timer.
void Lane::tick() {
  timer_.expires_after(tick_length());
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || !work_.owns_work()) return;
    const auto time = now();
    for (const auto& connection : all()) connection->check_time(time);
    tick();
  });
}

Milliseconds Lane::tick_length() const {
  const auto& limits = server_.limits;
  const auto shortest = std::min(
      {limits.header_time, limits.body_time, limits.write_time, limits.idle_time, limits.websocket_ping});
  return std::clamp(shortest / 8, Milliseconds(5), Milliseconds(250));
}

const std::string& Lane::http_date() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  if (time.tv_sec != date_second_) {
    date_second_ = time.tv_sec;
    date_ = net::http_date(date_second_);
  }
  return date_;
}

std::string Lane::make_request_id() {
  constexpr char kHex[] = "0123456789abcdef";
  random_state_ += 0x9E3779B97F4A7C15ULL;
  auto bits = split_mix(random_state_);
  std::string id(16, '0');
  for (auto& c : id) {
    c = kHex[bits & 15];
    bits >>= 4;
  }
  return id;
}

}  // namespace fp::net

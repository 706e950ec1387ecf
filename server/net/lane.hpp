#pragma once

#include "base/time.hpp"
#include "net/connection.hpp"
#include "net/handler.hpp"
#include "net/host_names.hpp"
#include "net/http_server.hpp"
#include "net/mailbox.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace fp::net {

/// What all lanes share. Immutable but for the counts.
struct ServerCore {
  ServerCore(const HttpServer::Options& options, Handler& to)
      : limits(options.limits), handler(to), hosts(options.host, options.hosts) {}

  void count_connection() { ++connections; }
  void drop_connection();
  /// False when connections are left at the end of `most`.
  bool wait_for_no_connection(Milliseconds most);

  const Limits limits;
  Handler& handler;
  const HostNames hosts;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> websockets{0};
  std::function<void()> on_drop;  // set before the first connection

 private:
  std::mutex mutex_;
  std::condition_variable none_left_;
};

/// One thread of the server with its own io_context, and the connections that live on it for as long as they
/// last: this is their strand. Everything but post_*, context() and the start and end is for that thread
/// only.
class Lane {
 public:
  explicit Lane(ServerCore& server);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void start();
  /// From any thread: no new work on any of its connections.
  void post_stop();
  /// From any thread but its own: ends every connection, then the thread. Idempotent.
  void join();

  boost::asio::io_context& context() { return context_; }
  ServerCore& server() { return server_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  void adopt(std::shared_ptr<Connection> connection);
  /// The connection is over.
  void remove(Connection& connection);
  /// `successor` takes the place of `connection`, which lost its socket to it.
  void replace(Connection& connection, std::shared_ptr<Connection> successor);
  void answer(std::uint64_t connection, std::uint64_t request, Response response);
  void read_mail();

  SteadyPoint now() const { return std::chrono::steady_clock::now(); }
  const std::string& http_date();
  std::string make_request_id();
  std::uint64_t make_connection_id() { return ++last_id_; }
  bool is_stopping() const { return is_stopping_; }

 private:
  void run();
  void tick();
  Milliseconds tick_length() const;
  std::shared_ptr<Connection> find(std::uint64_t id) const;
  std::vector<std::shared_ptr<Connection>> all() const;

  ServerCore& server_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Mailbox> mailbox_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::uint64_t last_id_ = 0;
  std::uint64_t random_state_;
  std::int64_t date_second_ = -1;
  std::string date_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace fp::net
